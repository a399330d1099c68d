"""Snapshot sync: `step(now_ms, input) -> list[effect]`. The dispatch.

It lives until the folder is a chain. What peers say decides nothing: every piece is verified against the
block that it began with (SYNC-1), so one honest peer among any number of liars is enough.
"""

from __future__ import annotations

from typing import assert_never

from coc.consensus.sync.snapshot.effects import Effect, Subject
from coc.consensus.sync.snapshot.handle.answers import on_answer, on_peer_came, on_peer_gone
from coc.consensus.sync.snapshot.handle.folder import on_begun, on_failed, on_finished, on_target_found
from coc.consensus.sync.snapshot.handle.verdicts import (
    on_codes_verified,
    on_refused,
    on_state_verified,
    on_surroundings_verified,
)
from coc.consensus.sync.snapshot.inputs import (
    Begun,
    CodesReceived,
    CodesVerified,
    Failed,
    Finished,
    Input,
    PeerCame,
    PeerGone,
    Refused,
    Started,
    StateReceived,
    StateVerified,
    SurroundingsReceived,
    SurroundingsVerified,
    Target,
    TargetFound,
    TimerFired,
)
from coc.consensus.sync.snapshot.state import Core
from coc.primitives.types import Millis


class SnapshotSync:
    """Fetches the state of a certified block from peers."""

    def __init__(self, target: Target) -> None:
        """Nothing is asked for before `Started`."""
        self._core = Core(target)

    @property
    def target(self) -> Target:
        """The block whose state is fetched now."""
        return self._core.target

    @property
    def is_done(self) -> bool:
        """Whether the folder is a chain that begins with the block."""
        return self._core.is_done

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        return self._on(now_ms, event) + self._core.arm(now_ms)

    def _on(self, now_ms: Millis, event: Input) -> list[Effect]:
        core = self._core
        match event:
            case Started():
                return core.begin(core.target)
            case Begun():
                return on_begun(core, now_ms, event)
            case PeerCame():
                return on_peer_came(core, now_ms, event)
            case PeerGone():
                return on_peer_gone(core, now_ms, event)
            case StateReceived():
                return on_answer(core, now_ms, event.peer, Subject.STATE, event.payload)
            case CodesReceived():
                return on_answer(core, now_ms, event.peer, Subject.CODES, event.payload)
            case SurroundingsReceived():
                return on_answer(core, now_ms, event.peer, Subject.SURROUNDINGS, event.payload)
            case StateVerified():
                return on_state_verified(core, now_ms, event)
            case CodesVerified():
                return on_codes_verified(core, now_ms, event)
            case SurroundingsVerified():
                return on_surroundings_verified(core, now_ms, event)
            case Refused():
                return on_refused(core, now_ms, event)
            case Failed():
                return on_failed(core, now_ms, event)
            case TargetFound():
                return on_target_found(core, now_ms, event)
            case Finished():
                return on_finished(core, event)
            case TimerFired():
                return self._on_timer(now_ms)
            case _:
                assert_never(event)

    def _on_timer(self, now_ms: Millis) -> list[Effect]:
        core = self._core
        core.timer_ms = None
        core.give_back(core.peers.expire(now_ms))
        if core.retry_ms is not None and core.retry_ms <= now_ms:
            return core.begin(core.target)
        return core.go_on(now_ms)
