"""What the native core says of an answer, and how far the fetch is with it."""

from __future__ import annotations

from coc.consensus.sync.snapshot.effects import Effect, Progressed, Subject
from coc.consensus.sync.snapshot.inputs import (
    CodesVerified,
    Counts,
    Refused,
    StateVerified,
    SurroundingsVerified,
)
from coc.consensus.sync.snapshot.state import Core
from coc.consensus.sync.snapshot.trail import WHOLE
from coc.consensus.sync.snapshot.work import CodesErrand, StateErrand
from coc.primitives.types import Millis

MILLION = 1_000_000

ESTIMATE_ACCOUNTS_MIN = 1_000
"""From this many accounts on their density tells how many there are, to some 3 %."""


def on_state_verified(core: Core, now_ms: Millis, event: StateVerified) -> list[Effect]:
    """Follow up on what ranges have brought."""
    checked = core.checking.pop(event.number, None)
    if checked is None or core.work is None or not isinstance(checked.errand, StateErrand):
        return []
    core.work.note_state(checked.errand, event.ranges)
    core.work.note_next(event.next)
    return [*_progress(core, now_ms, event.counts), *core.go_on(now_ms)]


def on_codes_verified(core: Core, now_ms: Millis, event: CodesVerified) -> list[Effect]:
    """Ask again for what has not come; who has none of it does not keep the state."""
    checked = core.checking.pop(event.number, None)
    if checked is None or core.work is None or not isinstance(checked.errand, CodesErrand):
        return []
    core.work.note_codes(event.missing)
    core.work.note_next(event.next)
    peer = core.peers.get(checked.peer)
    if peer is not None and len(event.missing) == len(checked.errand.hashes):
        peer.lacks.add(Subject.CODES)
    return [*_progress(core, now_ms, event.counts), *core.go_on(now_ms)]


def on_surroundings_verified(core: Core, now_ms: Millis, event: SurroundingsVerified) -> list[Effect]:
    """The block is here."""
    if core.checking.pop(event.number, None) is None or core.work is None:
        return []
    core.work.has_surroundings = True
    return core.go_on(now_ms)


def on_refused(core: Core, now_ms: Millis, event: Refused) -> list[Effect]:
    """The peer lied: ask others. SYNC-11."""
    checked = core.checking.pop(event.number, None)
    if checked is None:
        return []
    core.give_back([checked.errand])
    return core.blame(checked.peer, event.reason) + core.go_on(now_ms)


def _progress(core: Core, now_ms: Millis, counts: Counts) -> list[Effect]:
    """SYNC-14."""
    work, since = core.work, core.since
    if work is None or since is None:
        return []
    built = work.accounts.built
    estimate = None
    if counts.accounts >= ESTIMATE_ACCOUNTS_MIN and built > 0:
        estimate = counts.accounts * WHOLE // built
    left_ms = None
    if built > since.built:
        left_ms = (now_ms - since.at_ms) * (WHOLE - built) // (built - since.built)
    return [Progressed(core.target.height, built * MILLION // WHOLE, counts, estimate, left_ms)]
