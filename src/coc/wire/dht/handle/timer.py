"""A timer has gone off: a round of upkeep, or something took too long."""

from __future__ import annotations

from typing import assert_never

from coc.primitives.types import Millis
from coc.wire.dht.asking import close
from coc.wire.dht.effects import Effect
from coc.wire.dht.handle.peer import end_dial
from coc.wire.dht.inputs import TimerFired, TimerKind
from coc.wire.dht.outcomes import discovered, errand_failed
from coc.wire.dht.searching import end
from coc.wire.dht.state import Core, Failure, Purpose
from coc.wire.dht.upkeep import dial_bootstraps, look_after


def on_timer(core: Core, now_ms: Millis, event: TimerFired) -> list[Effect]:
    """Do what a timer is for; what it was set for may be over."""
    timer = event.timer
    match timer.kind:
        case TimerKind.JOIN:
            return dial_bootstraps(core, now_ms)
        case TimerKind.UPKEEP:
            return look_after(core, now_ms)
        case TimerKind.REQUEST:
            return _on_silence(core, now_ms, timer.number)
        case TimerKind.DIAL:
            return end_dial(core, now_ms, timer.number)
        case TimerKind.LOOKUP:
            return end(core, now_ms, timer.number)
        case _:
            assert_never(timer.kind)


def _on_silence(core: Core, now_ms: Millis, number: int) -> list[Effect]:
    """A peer did not answer: the table counts it, and whoever asked hears of it (DHT-8)."""
    request = close(core, number)
    if request is None:
        return []
    peer, errand = request.contact.id, request.errand
    is_check = errand.purpose is Purpose.CHECK
    effects = [] if is_check else discovered(core.table.failed(peer, now_ms))
    return [*effects, *errand_failed(core, now_ms, peer, errand, Failure.SILENT)]
