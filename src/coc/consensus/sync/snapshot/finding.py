"""Finding the block whose state is to be fetched: every peer is asked for the way to its newest one.

Which block it is, no count of answers decides (SYNC-1): each answer proves itself, and the highest of those
that do wins. A peer can hide newer blocks, no more; what it hides comes with the blocks behind the snapshot.
SYNC-3, SYNC-4.

The way begins at genesis or at a checkpoint. Who does not know the checkpoint's block is asked for the way
from genesis to that height: either it proves another block, and the checkpoint is worth nothing, or what it
says does not count. SYNC-17, SYNC-18.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from coc.consensus.finality.checkpoint import TrustedBlock
from coc.consensus.finality.verify import Walk
from coc.consensus.sync.snapshot.inputs import PeerCame, PeerGone, Target, TimerFired
from coc.consensus.sync.snapshot.messages import NOTHING, Numbered, decode_numbered, encode_numbered
from coc.consensus.sync.snapshot.way import Beginning, Page, Untrodden, encode_way_request, request_from
from coc.primitives.errors import CocError
from coc.primitives.frozen import frozen
from coc.primitives.limits_snapshot import (
    SNAPSHOT_ANSWER_MS_MAX,
    SNAPSHOT_FIND_AGAIN_MS,
    SNAPSHOT_FIND_PEERS_MAX,
    SNAPSHOT_FIND_WAIT_MS,
    SNAPSHOT_LIARS_PEERS_MAX,
    SNAPSHOT_PEERS_MAX,
)
from coc.primitives.types import Height, Millis, PeerId


@frozen
class Seek:
    """Find a block above this height."""

    above: Height


@frozen
class WayReceived:
    """A peer has answered a request of the way."""

    peer: PeerId
    payload: bytes


@frozen
class WayVerified:
    """The page of `VerifyWay` with this number is true."""

    number: int
    page: Page


@frozen
class WayRefused:
    """The page with this number does not prove itself."""

    number: int
    reason: str


FindingInput: TypeAlias = Seek | PeerCame | PeerGone | WayReceived | WayVerified | WayRefused | TimerFired


@frozen
class AskWay:
    """Send a peer a request of the way; one that is lost is made good by a timeout."""

    peer: PeerId
    payload: bytes


@frozen
class VerifyWay:
    """Hold a page to the rules, on from this walk; answer `WayVerified` or `WayRefused`."""

    number: int
    walk: Beginning
    body: bytes


@frozen
class Contradicted:
    """Validators have certified another block than the checkpoint names; nothing more can be found."""

    target: Target


@frozen
class Found:
    """The highest block that was proved."""

    target: Target


@frozen
class NothingFound:
    """All who answered say that their chain has no such block; they are asked again later."""


@frozen
class WakeFinder:
    """Hand in `TimerFired` at this time; one more than needed does no harm."""

    at_ms: Millis


@frozen
class Lied:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


FindingEffect: TypeAlias = AskWay | VerifyWay | Found | Contradicted | NothingFound | WakeFinder | Lied


class _Stand(enum.Enum):
    """How far a peer is in this search."""

    FRESH = enum.auto()
    ASKED = enum.auto()
    CHECKED = enum.auto()
    SHOWN = enum.auto()
    HAS_NONE = enum.auto()
    SILENT = enum.auto()


@dataclass(slots=True)
class _Peer:
    stand: _Stand = _Stand.FRESH
    number: int = 0
    walk: Beginning | None = None
    """From where the way was asked for."""
    is_doubted: bool = False
    """It does not know the block that is trusted, and is to show the way from genesis to its own."""
    until_ms: Millis | None = None

    @property
    def is_busy(self) -> bool:
        return self.stand in (_Stand.ASKED, _Stand.CHECKED)


@dataclass(slots=True)
class TargetFinder:
    """Asks for the way until a block above the wanted height is proved. `walk` is as far as it is known."""

    walk: Beginning
    doubt: Walk | None = None
    """The same from genesis, for those who do not know the checkpoint."""
    _above: Height | None = None
    """What is sought; None when nothing is."""
    _peers: dict[PeerId, _Peer] = field(default_factory=dict)
    _liars: dict[PeerId, None] = field(default_factory=dict)
    _best: Target | None = None
    _wait_ms: Millis | None = None
    """Until when more answers are waited for: a while after there is somebody to ask."""
    _again_ms: Millis | None = None
    _has_told: bool = False
    _number: int = 0
    _trusted: TrustedBlock | None = field(init=False)
    """The checkpoint at which the way begins, if it does not begin at genesis."""

    def __post_init__(self) -> None:
        """Know what is trusted for as long as this search lives."""
        self._trusted = self.walk.trusted if isinstance(self.walk, Untrodden) else None

    def step(self, now_ms: Millis, event: FindingInput) -> list[FindingEffect]:
        """Apply one input and return what must now be done, in order."""
        effects: list[FindingEffect] = []
        match event:
            case Seek():
                self._begin(event.above)
            case PeerCame():
                if event.peer not in self._liars and len(self._peers) < SNAPSHOT_PEERS_MAX:
                    self._peers.setdefault(event.peer, _Peer())
            case PeerGone():
                self._peers.pop(event.peer, None)
            case WayReceived():
                effects = self._on_way(event)
            case WayVerified():
                effects = self._on_verified(event)
            case WayRefused():
                effects = self._on_refused(event)
            case TimerFired():
                self._on_timer(now_ms)
            case _:
                assert_never(event)
        return [*effects, *self._go_on(now_ms)]

    def _begin(self, above: Height) -> None:
        self._above, self._best, self._has_told = above, None, False
        self._wait_ms, self._again_ms = None, None
        self._ask_all_again()

    def _ask_all_again(self) -> None:
        for peer in self._peers.values():
            if not peer.is_busy:
                peer.stand, peer.is_doubted = _Stand.FRESH, False

    def _on_way(self, event: WayReceived) -> list[FindingEffect]:
        peer = self._peers.get(event.peer)
        if peer is None:
            return []
        try:
            message = decode_numbered(event.payload)
        except CocError as error:
            return self._blame(event.peer, f"bytes that are no answer: {error.what}")
        if peer.stand is not _Stand.ASKED or message.number != peer.number or peer.walk is None:
            return []  # it comes too late
        if message.body == NOTHING:
            is_strange = isinstance(peer.walk, Untrodden) and self.doubt is not None
            peer.stand, peer.is_doubted = (_Stand.FRESH if is_strange else _Stand.HAS_NONE), is_strange
            return []
        peer.stand = _Stand.CHECKED
        return [VerifyWay(peer.number, peer.walk, message.body)]

    def _on_verified(self, event: WayVerified) -> list[FindingEffect]:
        page = event.page
        if self._trusted is not None and page.walk.anchor_height == 0:
            return self._on_doubt(event, self._trusted)
        if isinstance(self.walk, Untrodden) or page.walk.block.height > self.walk.block.height:
            self.walk = page.walk
        for peer in self._peers.values():
            if peer.number == event.number and peer.stand is _Stand.CHECKED:
                # Without a target there is more of the way: it is asked for from where we are now.
                peer.stand = _Stand.FRESH if page.target is None else _Stand.SHOWN
        target, above = page.target, self._above
        if target is None or above is None or target.height <= above:
            return []
        if self._best is None or target.height > self._best.height:
            self._best = target
        return []

    def _on_doubt(self, event: WayVerified, trusted: TrustedBlock) -> list[FindingEffect]:
        """Somebody has gone from genesis towards the height of the checkpoint, or has arrived there."""
        walk, target = event.page.walk, event.page.target
        if self.doubt is not None and self.doubt.block.height < walk.block.height < trusted.height:
            self.doubt = walk
        for peer in self._peers.values():
            if peer.number == event.number and peer.stand is _Stand.CHECKED:
                peer.stand = _Stand.FRESH if target is None else _Stand.HAS_NONE
        if target is None or target.height != trusted.height or target.block == trusted.block:
            return []
        self._above = None
        return [Contradicted(target)]

    def _on_refused(self, event: WayRefused) -> list[FindingEffect]:
        for name, peer in self._peers.items():
            if peer.number == event.number and peer.stand is _Stand.CHECKED:
                return self._blame(name, event.reason)
        return []

    def _blame(self, peer: PeerId, reason: str) -> list[FindingEffect]:
        self._peers.pop(peer, None)
        self._liars[peer] = None
        while len(self._liars) > SNAPSHOT_LIARS_PEERS_MAX:
            del self._liars[next(iter(self._liars))]
        return [Lied(peer, reason)]

    def _on_timer(self, now_ms: Millis) -> None:
        for peer in self._peers.values():
            if peer.stand is _Stand.ASKED and peer.until_ms is not None and peer.until_ms <= now_ms:
                peer.stand = _Stand.SILENT
        if self._again_ms is not None and self._again_ms <= now_ms:
            self._again_ms = None
            self._ask_all_again()

    def _go_on(self, now_ms: Millis) -> list[FindingEffect]:
        if self._above is None:
            return []
        effects = self._ask(now_ms)
        if self._wait_ms is None and self._peers:
            self._wait_ms = Millis(now_ms + SNAPSHOT_FIND_WAIT_MS)
            effects.append(WakeFinder(self._wait_ms))
        if self._wait_ms is None or now_ms < self._wait_ms:
            return effects
        if self._best is not None:
            self._above = None
            return [*effects, Found(self._best)]
        is_over = not any(peer.is_busy for peer in self._peers.values())
        if is_over and self._peers and self._again_ms is None:
            self._again_ms = Millis(now_ms + SNAPSHOT_FIND_AGAIN_MS)
            effects.append(WakeFinder(self._again_ms))
            if not self._has_told and any(peer.stand is _Stand.HAS_NONE for peer in self._peers.values()):
                self._has_told = True
                effects.append(NothingFound())
        return effects

    def _ask(self, now_ms: Millis) -> list[FindingEffect]:
        effects: list[FindingEffect] = []
        until_ms = Millis(now_ms + SNAPSHOT_ANSWER_MS_MAX)
        room = SNAPSHOT_FIND_PEERS_MAX - sum(peer.is_busy for peer in self._peers.values())
        for name, peer in self._peers.items():
            if peer.stand is _Stand.FRESH and room > 0:
                room -= 1
                self._number += 1
                peer.stand, peer.number, peer.until_ms = _Stand.ASKED, self._number, until_ms
                is_doubt = peer.is_doubted and self.doubt is not None
                until = self._trusted.height if is_doubt and self._trusted is not None else None
                peer.walk = self.doubt if is_doubt else self.walk
                body = encode_way_request(request_from(peer.walk or self.walk, until))
                effects.append(AskWay(name, encode_numbered(Numbered(self._number, body))))
        return [*effects, WakeFinder(until_ms)] if effects else []
