"""What happens by itself: joining, checks of old entries, refreshes, announcements (DHT-7, DHT-14)."""

from __future__ import annotations

from coc.primitives.limits_dht import (
    BUCKET_ENTRIES_MAX,
    ENTRY_FRESH_MS_MAX,
    ENTRY_SILENT_MS_MAX,
    JOIN_RETRY_MS_MAX,
    JOIN_RETRY_MS_MIN,
    UPKEEP_MS,
)
from coc.primitives.types import Millis
from coc.wire.dht import chores
from coc.wire.dht.asking import ask, is_unreachable
from coc.wire.dht.distance import bucket_of
from coc.wire.dht.effects import Dial, Effect, SetTimer
from coc.wire.dht.inputs import Timer, TimerKind
from coc.wire.dht.messages import Ping
from coc.wire.dht.outcomes import discovered
from coc.wire.dht.searching import pump
from coc.wire.dht.state import Core, Errand, Purpose
from coc.wire.dht.table import Bucket


def look_after(core: Core, now_ms: Millis) -> list[Effect]:
    """One round of upkeep."""
    core.store.expire(now_ms)
    effects: list[Effect] = [SetTimer(Timer(TimerKind.UPKEEP), Millis(now_ms + UPKEEP_MS))]
    for bucket in core.table.buckets:
        effects += check_oldest(core, now_ms, bucket, ENTRY_SILENT_MS_MAX)
    if len(core.table):
        chores.refresh(core, now_ms)
        effects += chores.announce(core, now_ms)
    return [*effects, *pump(core, now_ms)]


def join_if_new(core: Core, now_ms: Millis) -> list[Effect]:
    """Join as soon as one node is known."""
    if core.is_joined or not core.is_started or not len(core.table):
        return []
    chores.join(core, now_ms)
    return pump(core, now_ms)


def dial_bootstraps(core: Core, now_ms: Millis) -> list[Effect]:
    """Join, or join again: while nobody is connected, dial where we may begin, ever less often."""
    effects: list[Effect] = []
    if core.peers:
        core.join_pause_ms = JOIN_RETRY_MS_MIN
        effects += _look_again(core, now_ms)
    else:
        core.is_joined = False
        core.look_pause_ms = 0
        core.join_pause_ms = min(max(2 * core.join_pause_ms, JOIN_RETRY_MS_MIN), JOIN_RETRY_MS_MAX)
        effects += [Dial(one.host, one.port, one.peer) for one in core.setup.dialled_first]
    return [*effects, SetTimer(Timer(TimerKind.JOIN), Millis(now_ms + core.join_pause_ms))]


def _look_again(core: Core, now_ms: Millis) -> list[Effect]:
    """Look for ourselves again while few are known: nodes that join together miss each other."""
    core.look_pause_ms = max(core.look_pause_ms, JOIN_RETRY_MS_MIN)
    is_due = now_ms - core.own_refreshed_ms >= core.look_pause_ms
    if not core.is_joined or len(core.table) >= BUCKET_ENTRIES_MAX or not is_due:
        return []
    core.look_pause_ms = min(2 * core.look_pause_ms, JOIN_RETRY_MS_MAX)
    chores.join(core, now_ms)
    return pump(core, now_ms)


def check_oldest(
    core: Core, now_ms: Millis, bucket: Bucket, silent_ms: int = ENTRY_FRESH_MS_MAX
) -> list[Effect]:
    """Ask the least recently heard entry whether it lives, if it has been silent for long (DHT-7)."""
    entry = bucket.oldest
    if entry is None or now_ms - entry.seen_ms < silent_ms:
        return []
    index = bucket_of(core.setup.own, entry.contact.id)
    if index in core.checking:
        return []
    if is_unreachable(core, now_ms, entry.contact):
        return discovered(core.table.remove(entry.contact.id, now_ms))
    asked = ask(core, now_ms, entry.contact, Errand(Purpose.CHECK, index, Ping()))
    if asked is None:
        return []
    core.checking.add(index)
    return asked
