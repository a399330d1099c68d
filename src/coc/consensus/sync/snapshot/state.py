"""What the handlers of snapshot sync work on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from coc.consensus.sync.snapshot.effects import (
    Alarm,
    Ask,
    Begin,
    Effect,
    FindTarget,
    Finish,
    Misbehaved,
    SetTimer,
    Subject,
)
from coc.consensus.sync.snapshot.inputs import Counts, Target
from coc.consensus.sync.snapshot.messages import Numbered, encode_numbered
from coc.consensus.sync.snapshot.peers import Peers, Question
from coc.consensus.sync.snapshot.work import Errand, Work
from coc.primitives.frozen import frozen
from coc.primitives.limits_snapshot import (
    SNAPSHOT_ANSWER_MS_MAX,
    SNAPSHOT_ERRANDS_MAX,
    SNAPSHOT_RETRY_MS,
)
from coc.primitives.types import Millis, PeerId


@frozen
class Checked:
    """An answer that is being verified."""

    peer: PeerId
    errand: Errand


@frozen
class Since:
    """Where this attempt began, for estimates."""

    at_ms: Millis
    built: int
    counts: Counts


@dataclass(slots=True)
class Core:
    """The block at hand, what is left to do, and who helps."""

    target: Target
    peers: Peers = field(default_factory=Peers)
    work: Work | None = None
    """What is left; None while the folder is being made ready."""
    since: Since | None = None
    checking: dict[int, Checked] = field(default_factory=dict)
    candidate: Target | None = None
    """The newest block that was found beside the one at hand."""
    asked_for_target: bool = False
    is_finishing: bool = False
    is_done: bool = False
    retry_ms: Millis | None = None
    timer_ms: Millis | None = None
    number: int = 0

    def begin(self, target: Target) -> list[Effect]:
        """Make the folder ready for a block; whatever is under way is dropped."""
        self._drop_everything()
        self.target = target
        self.retry_ms = None
        return [Begin(target)]

    def fail(self, now_ms: Millis, reason: str) -> list[Effect]:
        """Our own side failed: tell a person, and begin again later from what was saved. SYNC-13."""
        self._drop_everything()
        self.retry_ms = Millis(now_ms + SNAPSHOT_RETRY_MS)
        return [Alarm(f"the snapshot of block {self.target.height} cannot go on now: {reason}")]

    def blame(self, peer: PeerId, reason: str) -> list[Effect]:
        """A peer lied: others do its work. SYNC-11."""
        self.give_back(self.peers.blame(peer))
        return [Misbehaved(peer, reason)]

    def give_back(self, errands: Iterable[Errand]) -> None:
        """Errands came to nothing."""
        if self.work is not None:
            for errand in errands:
                self.work.give_back(errand)

    def go_on(self, now_ms: Millis) -> list[Effect]:
        """Finish, or turn to a newer block, or ask whoever can be asked."""
        work = self.work
        if work is None or self.is_finishing or self.is_done:
            return []
        if work.is_done:
            self.is_finishing = True
            return [Finish(self.target)]
        if any(self.peers.nobody_has(subject) for subject in work.subjects()) and not self.checking:
            return self._leave()
        self.asked_for_target = False
        effects: list[Effect] = []
        for subject in (Subject.SURROUNDINGS, Subject.CODES, Subject.STATE):
            effects += self._ask(work, subject, now_ms)
        return effects

    def arm(self, now_ms: Millis) -> list[Effect]:
        """Ask for a timer if something is due before the one that runs."""
        times = [time for time in (self.retry_ms, self.peers.next_change_ms(now_ms)) if time is not None]
        due_ms = min(times, default=None)
        if self.is_done or due_ms is None or (self.timer_ms is not None and self.timer_ms <= due_ms):
            return []
        self.timer_ms = due_ms
        return [SetTimer(due_ms)]

    def _ask(self, work: Work, subject: Subject, now_ms: Millis) -> list[Effect]:
        effects: list[Effect] = []
        while self.peers.under_way() + len(self.checking) < SNAPSHOT_ERRANDS_MAX:
            peer = self.peers.choose(subject, now_ms)
            errand = None if peer is None else work.take(subject)
            if peer is None or errand is None:
                break
            self.number += 1
            request = errand.body(self.target.block)
            until_ms = Millis(now_ms + SNAPSHOT_ANSWER_MS_MAX)
            self.peers.ask(peer, subject, Question(self.number, errand, request, until_ms))
            effects.append(Ask(peer, subject, encode_numbered(Numbered(self.number, request))))
        return effects

    def _leave(self) -> list[Effect]:
        """Nobody keeps this state any more: turn to a newer block, or have one found. SYNC-12."""
        if self.candidate is not None:
            target, self.candidate = self.candidate, None
            return self.begin(target)
        if self.asked_for_target:
            return []
        self.asked_for_target = True
        return [FindTarget(self.target.block)]

    def _drop_everything(self) -> None:
        self.work = None
        self.since = None
        self.checking.clear()
        self.asked_for_target = False
        self.is_finishing = False
        self.peers.forget_questions()
