"""The node wants something: nodes, records, or a record of its own announced."""

from __future__ import annotations

from coc.primitives.limits_dht import PUBLICATIONS_MAX
from coc.primitives.types import Millis
from coc.wire.dht import chores
from coc.wire.dht.effects import Effect, NotPublished
from coc.wire.dht.inputs import FindValue, LookUp, Publish, Withdraw
from coc.wire.dht.lookup import Goal, Search
from coc.wire.dht.records import Record, RecordInvalid
from coc.wire.dht.searching import begin, pump
from coc.wire.dht.state import Core, Publication


def on_look_up(core: Core, now_ms: Millis, event: LookUp) -> list[Effect]:
    """Look for the nodes nearest to a target."""
    return begin(core, now_ms, Search(Goal.LOOK_UP, event.target, event.ticket))


def on_find_value(core: Core, now_ms: Millis, event: FindValue) -> list[Effect]:
    """Look for the records under a key; what we hold ourselves is among what is found."""
    return begin(core, now_ms, Search(Goal.FIND_VALUE, event.key, event.ticket))


def on_publish(core: Core, now_ms: Millis, event: Publish) -> list[Effect]:
    """Announce a record of ours, at once if anybody is known (DHT-23)."""
    record = event.record
    refusal = _refusal(core, now_ms, record)
    if refusal:
        return [NotPublished(record.claim.key, refusal)]
    core.publications[record.claim.key] = Publication(record, core.number())
    if not core.is_joined:
        return []
    return [*chores.announce(core, now_ms), *pump(core, now_ms)]


def on_withdraw(core: Core, event: Withdraw) -> list[Effect]:
    """Announce it no more."""
    core.publications.pop(event.key, None)
    return []


def _refusal(core: Core, now_ms: Millis, record: Record) -> str:
    known = core.publications.get(record.claim.key)
    if record.claim.publisher != core.setup.public_key:
        return "its publisher is another node"
    if not record.is_current(now_ms):
        return "it has expired, or expires later than a record may"
    if known is None and len(core.publications) >= PUBLICATIONS_MAX:
        return f"this node announces {PUBLICATIONS_MAX} records already"
    if known is not None and record != known.record and not record.supersedes(known.record):
        return "a newer one is being announced"
    try:
        record.verify(core.setup.genesis_hash)
    except RecordInvalid as error:
        return str(error)
    return ""
