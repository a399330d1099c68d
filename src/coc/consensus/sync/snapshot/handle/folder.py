"""What the folder says: it is ready, it failed, it is a chain now."""

from __future__ import annotations

from coc.consensus.sync.snapshot.effects import Effect
from coc.consensus.sync.snapshot.inputs import Begun, Failed, Finished, TargetFound
from coc.consensus.sync.snapshot.state import Core, Since
from coc.consensus.sync.snapshot.work import Work
from coc.primitives.types import Millis


def on_begun(core: Core, now_ms: Millis, event: Begun) -> list[Effect]:
    """Ask for what is left. SYNC-7."""
    if core.work is not None:
        return []
    core.work = Work.after(event)
    core.since = Since(now_ms, core.work.accounts.built, event.counts)
    return core.go_on(now_ms)


def on_failed(core: Core, now_ms: Millis, event: Failed) -> list[Effect]:
    """Begin again in a while. SYNC-13."""
    return core.fail(now_ms, event.reason)


def on_target_found(core: Core, now_ms: Millis, event: TargetFound) -> list[Effect]:
    """Keep the newest block for when nobody keeps the state of ours. SYNC-12."""
    known = core.target if core.candidate is None else core.candidate
    if event.target.height > known.height:
        core.candidate = event.target
    return core.go_on(now_ms)


def on_finished(core: Core, _event: Finished) -> list[Effect]:
    """Nothing is left to do."""
    core.is_done = core.is_finishing
    return []
