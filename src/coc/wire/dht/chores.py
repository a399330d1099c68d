"""Which lookups our own upkeep needs now; they wait behind those that the node asks for (DHT-14, DHT-23)."""

from __future__ import annotations

from coc.primitives.limits_dht import (
    ANNOUNCE_MS,
    ANNOUNCES_PER_UPKEEP_MAX,
    BUCKET_REFRESH_MS,
    CHORES_WAITING_MAX,
    RENEW_SECONDS,
)
from coc.primitives.types import Hash32, Millis
from coc.wire.dht.distance import BUCKETS, id_in_bucket
from coc.wire.dht.effects import Effect, NotPublished, Renew
from coc.wire.dht.lookup import Goal, Search
from coc.wire.dht.state import Core, Publication


def add(core: Core, search: Search) -> bool:
    """Let a chore wait for its turn, if there is room."""
    if len(core.searches.chores) >= CHORES_WAITING_MAX:
        return False
    core.searches.chores[search] = None
    return True


def join(core: Core, now_ms: Millis) -> None:
    """Look for ourselves: it finds our neighbours, and they find us."""
    if add(core, Search(Goal.JOIN, Hash32(core.setup.own))):
        core.is_joined = True
        core.own_refreshed_ms = now_ms


def refresh(core: Core, now_ms: Millis) -> None:
    """Look for a random id in each bucket, beyond our nearest neighbour's, that was long left alone."""
    if now_ms - core.own_refreshed_ms >= BUCKET_REFRESH_MS:
        join(core, now_ms)
    for index in range(core.table.nearest_bucket() + 1, BUCKETS):
        bucket = core.table.buckets[index]
        if now_ms - bucket.refreshed_ms < BUCKET_REFRESH_MS:
            continue
        target = id_in_bucket(core.setup.own, index, core.dice)
        if not add(core, Search(Goal.REFRESH, target)):
            return
        bucket.refreshed_ms = now_ms


def announce(core: Core, now_ms: Millis) -> list[Effect]:
    """Begin the announcements that are due, some at a time; forget what has expired."""
    effects: list[Effect] = []
    due = [one for one in core.publications.values() if one.due_ms <= now_ms]
    for publication in due[:ANNOUNCES_PER_UPKEEP_MAX]:
        effects += _announce(core, now_ms, publication)
    return effects


def _announce(core: Core, now_ms: Millis, publication: Publication) -> list[Effect]:
    claim = publication.record.claim
    if not publication.record.is_current(now_ms):
        del core.publications[claim.key]
        return [NotPublished(claim.key, "it has expired")]
    if not add(core, Search(Goal.ANNOUNCE, claim.key)):
        return []
    publication.due_ms = now_ms + ANNOUNCE_MS
    expires_soon = claim.expiry_seconds - now_ms // 1_000 < RENEW_SECONDS
    return [Renew(publication.record)] if expires_soon else []
