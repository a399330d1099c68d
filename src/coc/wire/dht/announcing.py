"""Our own records: stored at the nodes nearest to their keys, again each hour, until they expire (DHT-23).

Those who hold a record do not pass it on. Its publisher stores it again, so nodes that joined since come to
hold it, and a record whose publisher is gone ends with its expiry.
"""

from __future__ import annotations

from coc.primitives.limits_dht import ANNOUNCE_MS, ANNOUNCE_RETRY_MS
from coc.primitives.types import Hash32, Millis
from coc.wire.dht.asking import ask
from coc.wire.dht.effects import Announced, Effect
from coc.wire.dht.hosts import Contact
from coc.wire.dht.messages import Store
from coc.wire.dht.state import Core, Errand, Publication, Purpose


def store_at(core: Core, now_ms: Millis, key: Hash32, contacts: tuple[Contact, ...]) -> list[Effect]:
    """The nodes nearest to a publication's key are known: ask them to hold it."""
    publication = core.publications.get(key)
    if publication is None:
        return []
    publication.number = core.number()
    publication.pending, publication.holders = 0, 0
    errand = Errand(Purpose.STORE, publication.number, Store(publication.record))
    effects: list[Effect] = []
    for contact in contacts:
        asked = ask(core, now_ms, contact, errand)
        if asked is not None:
            publication.pending += 1
            effects += asked
    return effects if publication.pending else [*effects, _settle(publication, now_ms)]


def stored(core: Core, now_ms: Millis, number: int, *, is_held: bool) -> list[Effect]:
    """One of them answered, or will not; an earlier announcement's answers no longer count."""
    for publication in core.publications.values():
        if publication.number == number and publication.pending:
            publication.pending -= 1
            publication.holders += is_held
            return [] if publication.pending else [_settle(publication, now_ms)]
    return []


def _settle(publication: Publication, now_ms: Millis) -> Effect:
    pause_ms = ANNOUNCE_MS if publication.holders else ANNOUNCE_RETRY_MS
    publication.due_ms = now_ms + pause_ms
    return Announced(publication.record.claim.key, publication.holders)
