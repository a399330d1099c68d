"""What the handlers of transaction gossip work on."""

from __future__ import annotations

from dataclasses import dataclass, field

from coc.primitives.frozen import frozen
from coc.primitives.limits_wire import (
    GOSSIP_KNOWN_HASHES_MAX,
    GOSSIP_PEER_KNOWN_HASHES_MAX,
    GOSSIP_REFUSED_HASHES_MAX,
    GOSSIP_REFUSED_MS,
    GOSSIP_WANTED_HASHES_MAX,
)
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.transaction_gossip.effects import Effect, SetTimer
from coc.wire.transaction_gossip.recent import RecentHashes


@frozen
class Request:
    """What a peer was asked for, in this order, and until when it may answer."""

    hashes: tuple[Hash32, ...]
    until_ms: Millis
    is_late: bool = False
    """The time is over and others are asked; one answer is still taken, and nothing new asked before it."""


@dataclass(slots=True)
class Talk:
    """The conversation with one peer."""

    knows: RecentHashes = field(default_factory=lambda: RecentHashes(GOSSIP_PEER_KNOWN_HASHES_MAX))
    wanted: dict[Hash32, None] = field(default_factory=dict)
    """What it announced and we want, oldest first."""
    request: Request | None = None
    lookups: int = 0


@dataclass(slots=True)
class Want:
    """A transaction that is not here: who has it, and who is being asked."""

    announcers: list[PeerId]
    asked: PeerId | None = None


class Core:
    """Peers, wants, and what the pool has said."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.talks: dict[PeerId, Talk] = {}
        self.wants: dict[Hash32, Want] = {}
        self.known = RecentHashes(GOSSIP_KNOWN_HASHES_MAX)
        self.refused = RecentHashes(GOSSIP_REFUSED_HASHES_MAX)
        self.submitted: dict[Hash32, PeerId] = {}
        self.fresh: list[Hash32] = []
        self.flush_ms: Millis | None = None
        self.timer_ms: Millis | None = None

    def is_settled(self, now_ms: Millis, hash_: Hash32) -> bool:
        """Whether the pool has it, is looking at it, or has refused it lately. WIRE-33."""
        if hash_ in self.known or hash_ in self.submitted:
            return True
        refused_ms = self.refused.get(hash_)
        return refused_ms is not None and now_ms - refused_ms < GOSSIP_REFUSED_MS

    def note_submitted(self, hash_: Hash32, peer: PeerId) -> None:
        """The pool is looking at a peer's transaction; its oldest silence makes room."""
        self.submitted[hash_] = peer
        if len(self.submitted) > GOSSIP_WANTED_HASHES_MAX:
            del self.submitted[next(iter(self.submitted))]

    def drop_want(self, hash_: Hash32) -> None:
        """Stop wanting a transaction."""
        want = self.wants.pop(hash_, None)
        if want is not None:
            for peer in want.announcers:
                self.talks[peer].wanted.pop(hash_, None)

    def drop_announcer(self, hash_: Hash32, peer: PeerId) -> None:
        """A peer does not have it after all; without another one it is not wanted any more."""
        want = self.wants.get(hash_)
        if want is None or peer not in want.announcers:
            return
        want.announcers.remove(peer)
        self.talks[peer].wanted.pop(hash_, None)
        if want.asked == peer:
            want.asked = None
        if not want.announcers:
            del self.wants[hash_]

    def arm(self) -> list[Effect]:
        """Ask for a timer if something is due before the one that runs."""
        due_ms = self.flush_ms
        for talk in self.talks.values():
            request = talk.request
            if request is None or request.is_late:
                continue
            if due_ms is None or request.until_ms < due_ms:
                due_ms = request.until_ms
        if due_ms is None or (self.timer_ms is not None and self.timer_ms <= due_ms):
            return []
        self.timer_ms = due_ms
        return [SetTimer(due_ms)]
