"""Whom to ask: each peer one question of a kind at a time, those first that were not asked for longest.

A peer that did not answer in time rests, one that does not keep something is not asked for it again, and one
that lied is asked nothing more. SYNC-10, SYNC-11, SYNC-12.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from coc.consensus.sync.snapshot.effects import Subject
from coc.consensus.sync.snapshot.work import Errand
from coc.primitives.frozen import frozen
from coc.primitives.limits_snapshot import (
    SNAPSHOT_LIARS_PEERS_MAX,
    SNAPSHOT_PEERS_MAX,
    SNAPSHOT_REST_MS,
)
from coc.primitives.types import Millis, PeerId


@frozen
class Question:
    """What a peer was asked, and until when it may answer."""

    number: int
    errand: Errand
    request: bytes
    until_ms: Millis


@dataclass(slots=True)
class Peer:
    """One peer."""

    questions: dict[Subject, Question] = field(default_factory=dict)
    lacks: set[Subject] = field(default_factory=set)
    """What it does not keep of the block at hand."""
    owed: int = 0
    """Answers that may still come to questions that are of no interest any more."""
    rests_until_ms: Millis | None = None

    def is_resting(self, now_ms: Millis) -> bool:
        """Whether it is asked nothing now."""
        return self.rests_until_ms is not None and now_ms < self.rests_until_ms

    def drop(self, subject: Subject) -> Question:
        """Wait no longer for an answer, which may come all the same."""
        self.owed += 1
        return self.questions.pop(subject)


class Peers:
    """Those that are connected, and those that lied."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._peers: dict[PeerId, Peer] = {}
        self._liars: dict[PeerId, None] = {}

    def __len__(self) -> int:
        """How many may be asked."""
        return len(self._peers)

    def get(self, peer: PeerId) -> Peer | None:
        """One of them."""
        return self._peers.get(peer)

    def add(self, peer: PeerId) -> None:
        """One has come."""
        if peer not in self._liars and len(self._peers) < SNAPSHOT_PEERS_MAX:
            self._peers.setdefault(peer, Peer())

    def remove(self, peer: PeerId) -> list[Errand]:
        """One has gone; what it was asked for."""
        gone = self._peers.pop(peer, None)
        return [] if gone is None else [question.errand for question in gone.questions.values()]

    def blame(self, peer: PeerId) -> list[Errand]:
        """One has lied; what it was asked for."""
        self._liars[peer] = None
        while len(self._liars) > SNAPSHOT_LIARS_PEERS_MAX:
            del self._liars[next(iter(self._liars))]
        return self.remove(peer)

    def choose(self, subject: Subject, now_ms: Millis) -> PeerId | None:
        """Whom to ask about this now, if anybody."""
        for name, peer in self._peers.items():
            is_free = subject not in peer.questions and subject not in peer.lacks
            if is_free and not peer.is_resting(now_ms):
                return name
        return None

    def ask(self, peer: PeerId, subject: Subject, question: Question) -> None:
        """Note a question; next time others come first."""
        asked = self._peers.pop(peer)
        asked.questions[subject] = question
        self._peers[peer] = asked

    def expire(self, now_ms: Millis) -> list[Errand]:
        """Give up waiting for what is overdue; what was asked for."""
        overdue: list[Errand] = []
        for peer in self._peers.values():
            for subject, question in list(peer.questions.items()):
                if question.until_ms <= now_ms:
                    overdue.append(peer.drop(subject).errand)
                    peer.rests_until_ms = Millis(now_ms + SNAPSHOT_REST_MS)
        return overdue

    def forget_questions(self) -> None:
        """What was asked, and who lacks what, is of no interest any more."""
        for peer in self._peers.values():
            for subject in list(peer.questions):
                peer.drop(subject)
            peer.lacks.clear()

    def under_way(self) -> int:
        """Questions that wait for an answer."""
        return sum(len(peer.questions) for peer in self._peers.values())

    def nobody_has(self, subject: Subject) -> bool:
        """Whether there are peers, and each has said that it does not keep this."""
        peers = self._peers.values()
        return bool(peers) and all(subject in peer.lacks for peer in peers)

    def next_change_ms(self, now_ms: Millis) -> Millis | None:
        """When the first answer is overdue, or the first peer has rested."""
        times = [question.until_ms for peer in self._peers.values() for question in peer.questions.values()]
        times += [time for peer in self._peers.values() if (time := peer.rests_until_ms) and time > now_ms]
        return min(times, default=None)
