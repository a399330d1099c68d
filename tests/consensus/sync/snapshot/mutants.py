"""One-line faults of snapshot sync, each put in by replacing a single function, and the run that finds it.

The table `MUTANTS.md` beside this file says which seed finds each;
`python -m tests.consensus.sync.snapshot.mutants` writes it again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from pathlib import Path

from coc.consensus.sync.snapshot.effects import Effect, Subject
from coc.consensus.sync.snapshot.inputs import RangeGained
from coc.consensus.sync.snapshot.messages import Range, key_of
from coc.consensus.sync.snapshot.peers import Peer, Peers, Question
from coc.consensus.sync.snapshot.state import Core
from coc.consensus.sync.snapshot.trail import Trail
from coc.consensus.sync.snapshot.work import Errand, StateErrand, Work
from coc.primitives.types import Hash32, Millis, PeerId
from tests.consensus.sync.snapshot.plans import plan_of
from tests.consensus.sync.snapshot.world import Broken, Fetch
from tests.planted_faults.hunt import Hunt, Mutant


def _nothing_lost(_: Peers, peer: PeerId) -> list[Errand]:
    del peer
    return []


def _remove_silently(self: Peers, peer: PeerId) -> list[Errand]:
    self._peers.pop(peer, None)
    return []


def _blame_silently(self: Peers, peer: PeerId) -> list[Errand]:
    self._liars[peer] = None
    self._peers.pop(peer, None)
    return []


def _expire_silently(self: Peers, now_ms: Millis) -> list[Errand]:
    for peer in self._peers.values():
        for subject, question in list(peer.questions.items()):
            if question.until_ms <= now_ms:
                peer.drop(subject)
    return []


def _drop_without_debt(self: Peer, subject: Subject) -> Question:
    return self.questions.pop(subject)


def _forget_only_questions(self: Peers) -> None:
    for peer in self._peers.values():
        for subject in list(peer.questions):
            peer.drop(subject)


def _choose_the_busy(self: Peers, subject: Subject, now_ms: Millis) -> PeerId | None:
    for name, peer in self._peers.items():
        if subject not in peer.lacks and not peer.is_resting(now_ms):
            return name
    return None


def _never_resting(_: Peer, now_ms: Millis) -> bool:
    del now_ms
    return False


def _nobody_lacks(_: Peers, subject: Subject) -> bool:
    del subject
    return False


def _always_next(self: Trail) -> bool:
    return bool(self.returned) or self.cursor < 2**256


def _give_back_nothing(_: Trail, slice_: Range) -> None:
    del slice_


def _note_without_rest(self: Trail, slice_: Range, end: int) -> None:
    if self.ahead.get(slice_.start) == slice_.end:
        self.ahead[slice_.start] = self.arrived[slice_.start] = end
        self.cursor = max(self.cursor, slice_.end + 1)
        if self.account is not None:
            self._build()


def _note_one_behind(self: Trail, slice_: Range, end: int) -> None:
    if self.ahead.get(slice_.start) != slice_.end:
        return
    self.ahead[slice_.start] = self.arrived[slice_.start] = end
    if end < slice_.end:
        heapq.heappush(self.returned, (end + 2, slice_.end))  # one key is skipped
    if end == 2**256 - 1:
        self.cursor = end + 1
    if self.account is not None:
        self._build()


def _note_state_without_rest(self: Work, errand: StateErrand, gained: tuple[RangeGained, ...]) -> None:
    for range_, gain in zip(errand.ranges, gained, strict=False):
        trail = self._trail(range_.account)
        if trail is not None:
            trail.note(range_, key_of(gain.end))
        for account, start in gain.storages:
            self.storages[account] = Trail.begun(account, key_of(start))
            self.open_storages[account] = None
        self.codes.update(dict.fromkeys(gain.codes))
        self._look_again(range_.account)


def _note_no_codes(_: Work, missing: tuple[Hash32, ...]) -> None:
    del missing


def _fail_for_ever(self: Core, now_ms: Millis, reason: str) -> list[Effect]:
    del now_ms, reason
    self._drop_everything()
    return []


def _never_leave(_: Core) -> list[Effect]:
    return []


def _give_back_to_nobody(_: Core, errands: Iterable[Errand]) -> None:
    del errands


MUTANTS = (
    Mutant("a liar is asked again", "SYNC-11", Peers, "blame", _nothing_lost),
    Mutant("what a liar was asked is lost", "SYNC-11", Peers, "blame", _blame_silently),
    Mutant("what a lie was an answer to is lost", "SYNC-11", Core, "give_back", _give_back_to_nobody),
    Mutant("what somebody who left was asked is lost", "SYNC-10", Peers, "remove", _remove_silently),
    Mutant("what was not answered in time is lost", "SYNC-10", Peers, "expire", _expire_silently),
    Mutant("a late answer is a lie", "SYNC-10", Peer, "drop", _drop_without_debt),
    Mutant("two questions of a kind", "SYNC-10", Peers, "choose", _choose_the_busy),
    Mutant("no rest for the slow", "SYNC-10", Peer, "is_resting", _never_resting),
    Mutant("who lacks what is never forgotten", "SYNC-12", Peers, "forget_questions", _forget_only_questions),
    Mutant("nobody ever lacks anything", "SYNC-12", Peers, "nobody_has", _nobody_lacks),
    Mutant("no turning to a newer block", "SYNC-12", Core, "_leave", _never_leave),
    Mutant("no bound on what waits", "SYNC-9", Trail, "has_next", _always_next),
    Mutant("a slice is not asked for again", "SYNC-9", Trail, "give_back", _give_back_nothing),
    Mutant("the rest of a slice is not asked for", "SYNC-9", Trail, "note", _note_without_rest),
    Mutant("one key is skipped", "SYNC-9", Trail, "note", _note_one_behind),
    Mutant("ranges without an answer are lost", "SYNC-9", Work, "note_state", _note_state_without_rest),
    Mutant("codes that did not come are lost", "SYNC-9", Work, "note_codes", _note_no_codes),
    Mutant(
        "finished without the block",
        "SYNC-15",
        Work,
        "is_done",
        property(lambda work: work.accounts.is_complete),
    ),
    Mutant("no second try after a failure", "SYNC-13", Core, "fail", _fail_for_ever),
)


HUNT = Hunt(
    Path(__file__),
    "snapshot sync",
    MUTANTS,
    lambda _, seed: Fetch(plan_of(seed)).run(),
    (KeyError, AssertionError),
    seeds_max=60,
    word_for=lambda found: (
        str(found) if isinstance(found, Broken) else f"it ends with {type(found).__name__}"
    ),
)

if __name__ == "__main__":
    HUNT.write_table()
