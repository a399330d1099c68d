"""The node runs: dial where we may begin, and start the two timers that never end."""

from __future__ import annotations

from coc.primitives.limits_dht import UPKEEP_MS
from coc.primitives.types import Millis
from coc.wire.dht.effects import Effect, SetTimer
from coc.wire.dht.inputs import Timer, TimerKind
from coc.wire.dht.state import Core
from coc.wire.dht.upkeep import dial_bootstraps, join_if_new


def on_started(core: Core, now_ms: Millis) -> list[Effect]:
    """Join (DHT-14)."""
    core.is_started = True
    upkeep = SetTimer(Timer(TimerKind.UPKEEP), Millis(now_ms + UPKEEP_MS))
    return [*dial_bootstraps(core, now_ms), upkeep, *join_if_new(core, now_ms)]
