"""Catching up by decided blocks: ranges from peers that are ahead, verified and adopted in order.

A node one height behind is helped by the engine itself; this machine works where more is missing. One range
is asked for at a time while the one before is being adopted. What a peer claims about its height decides only
whom to ask: every block is adopted on its certificate. BSYNC-1, BSYNC-2, BSYNC-4, BSYNC-5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

from coc.consensus.sync.messages import BlockRange, CertifiedBlock
from coc.primitives.frozen import frozen
from coc.primitives.limits_consensus import (
    BLOCK_REPLY_BYTES_MAX,
    SYNC_ANSWER_MS_MAX,
    SYNC_PEERS_MAX,
)
from coc.primitives.types import Height, Millis, PeerId

HEIGHTS_BEHIND_MIN: Final = 2
"""From this lag on ranges are fetched; below it a certificate and a block are on their way anyhow."""


@frozen
class PeerAhead:
    """A peer says that it works on this height, so it has decided the ones before."""

    peer: PeerId
    height: Height


@frozen
class BlocksReceived:
    """A peer sent decided blocks."""

    peer: PeerId
    blocks: tuple[CertifiedBlock, ...]


@frozen
class Adopted:
    """Our next height, after blocks of a peer were adopted or the engine decided."""

    height: Height


@frozen
class Refused:
    """A peer's blocks do not prove themselves; those before the bad one are adopted."""

    peer: PeerId
    reason: str


@frozen
class Stuck:
    """This machine cannot adopt blocks now; the timer tries again."""


@frozen
class PeerLeft:
    """A peer is gone."""

    peer: PeerId


@frozen
class TimerFired:
    """The time of a `SetTimer` has come."""


Input: TypeAlias = PeerAhead | BlocksReceived | Adopted | Refused | Stuck | PeerLeft | TimerFired


@frozen
class Ask:
    """Ask a peer for decided blocks."""

    peer: PeerId
    wish: BlockRange


@frozen
class Adopt:
    """Verify and adopt a peer's blocks in order; answer `Adopted`, `Refused` or `Stuck`."""

    peer: PeerId
    blocks: tuple[CertifiedBlock, ...]


@frozen
class SetTimer:
    """Hand in `TimerFired` at this time; one more than needed does no harm."""

    at_ms: Millis


@frozen
class Misbehaved:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


Effect: TypeAlias = Ask | Adopt | SetTimer | Misbehaved


@frozen
class _Asked:
    """A question under way."""

    peer: PeerId
    first: Height
    until_ms: Millis


@dataclass(slots=True)
class BlockSync:
    """Where we are, who is ahead, and what is under way. `next_height` is the first that is missing."""

    next_height: Height
    ahead: dict[PeerId, Height] = field(default_factory=dict)
    _asked: _Asked | None = None
    _adopting: PeerId | None = None
    _waiting: tuple[PeerId, tuple[CertifiedBlock, ...]] | None = None
    _requested_to: Height = field(init=False)
    """The first height after what was received; ranges are asked for from there on."""
    _turn: int = 0

    def __post_init__(self) -> None:
        """Ask from where we are."""
        self._requested_to = self.next_height

    @property
    def goal(self) -> Height:
        """The height that the furthest peer says it works on; ours if nobody is ahead."""
        return max([self.next_height, *self.ahead.values()])

    @property
    def is_behind(self) -> bool:
        """Whether ranges are being fetched."""
        return self.goal - self.next_height >= HEIGHTS_BEHIND_MIN

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        match event:
            case PeerAhead():
                self._note(event)
            case BlocksReceived():
                return self._on_blocks(now_ms, event)
            case Adopted():
                self._on_adopted(event)
            case Refused():
                return self._on_refused(now_ms, event)
            case Stuck():
                self._begin_again()
                return [SetTimer(Millis(now_ms + SYNC_ANSWER_MS_MAX))]
            case PeerLeft():
                self.ahead.pop(event.peer, None)
                if self._asked is not None and self._asked.peer == event.peer:
                    self._asked = None
            case TimerFired():
                self._on_timer(now_ms)
            case _:
                assert_never(event)
        return self._go_on(now_ms)

    def _note(self, event: PeerAhead) -> None:
        if event.peer in self.ahead or len(self.ahead) < SYNC_PEERS_MAX:
            self.ahead[event.peer] = event.height

    def _on_blocks(self, now_ms: Millis, event: BlocksReceived) -> list[Effect]:
        asked = self._asked
        if asked is None or asked.peer != event.peer:
            return []  # too late, or never asked for
        self._asked = None
        if not event.blocks:
            self.ahead.pop(event.peer, None)  # it claimed more than it gives
            return self._go_on(now_ms)
        self._requested_to = Height(asked.first + len(event.blocks))
        self._waiting = (event.peer, event.blocks)
        return self._go_on(now_ms)

    def _on_adopted(self, event: Adopted) -> None:
        self._adopting = None
        self.next_height = max(self.next_height, event.height)
        self._requested_to = max(self._requested_to, self.next_height)
        self.ahead = {peer: height for peer, height in self.ahead.items() if height > self.next_height}

    def _on_refused(self, now_ms: Millis, event: Refused) -> list[Effect]:
        self._begin_again()
        self.ahead.pop(event.peer, None)
        return [Misbehaved(event.peer, event.reason), *self._go_on(now_ms)]

    def _begin_again(self) -> None:
        """Drop what is under way: later ranges stand on blocks that are not here."""
        self._adopting, self._waiting, self._asked = None, None, None
        self._requested_to = self.next_height

    def _on_timer(self, now_ms: Millis) -> None:
        asked = self._asked
        if asked is not None and now_ms >= asked.until_ms:
            self._asked = None
            self.ahead.pop(asked.peer, None)  # it is asked again once it says again that it is ahead

    def _go_on(self, now_ms: Millis) -> list[Effect]:
        effects: list[Effect] = []
        if self._adopting is None and self._waiting is not None:
            peer, blocks = self._waiting
            self._adopting, self._waiting = peer, None
            effects.append(Adopt(peer, blocks))
        if self._asked is not None or self._waiting is not None or not self.is_behind:
            return effects
        holders = [peer for peer, height in self.ahead.items() if height > self._requested_to]
        if holders:
            self._turn += 1
            peer = holders[self._turn % len(holders)]
            until_ms = Millis(now_ms + SYNC_ANSWER_MS_MAX)
            self._asked = _Asked(peer, self._requested_to, until_ms)
            wish = BlockRange(self._requested_to, BLOCK_REPLY_BYTES_MAX)
            effects += [Ask(peer, wish), SetTimer(until_ms)]
        return effects
