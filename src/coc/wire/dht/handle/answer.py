"""A peer answers: is it the answer to our question, and is it true? Then it goes to whoever waits for it."""

from __future__ import annotations

from typing import assert_never

from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.dht.announcing import stored
from coc.wire.dht.asking import close
from coc.wire.dht.distance import distance
from coc.wire.dht.effects import Effect
from coc.wire.dht.hosts import Contact
from coc.wire.dht.messages import (
    Answer,
    FindNode,
    FindValue,
    Nodes,
    Ping,
    Pong,
    Question,
    Store,
    Stored,
    Values,
    Verdict,
)
from coc.wire.dht.outcomes import misbehaved
from coc.wire.dht.records import Record, RecordInvalid
from coc.wire.dht.searching import query_answered, values_found
from coc.wire.dht.state import Core


def on_answer(core: Core, now_ms: Millis, peer: PeerId, number: int, answer: Answer) -> list[Effect]:
    """Close the request and hand on what it brought."""
    request = core.calls.requests[number]
    if request.contact.id != peer:
        return []
    errand = request.errand
    fault = _fault(core, errand.question, answer)
    if fault:
        return misbehaved(core, now_ms, peer, fault)
    close(core, number)
    match answer:
        case Nodes(contacts):
            return query_answered(core, now_ms, errand.number, peer, contacts)
        case Values(records, contacts):
            current = [record for record in records if record.is_current(now_ms)]
            values_found(core, errand.number, peer, current)
            return query_answered(core, now_ms, errand.number, peer, contacts)
        case Stored(verdict):
            return stored(core, now_ms, errand.number, is_held=verdict is Verdict.HELD)
        case Pong():
            core.checking.discard(errand.number)
            return []
        case _:
            assert_never(answer)


def _fault(core: Core, question: Question, answer: Answer) -> str:
    """What is wrong with an answer, as nobody honest would give it; empty if nothing is (DHT-21)."""
    match question, answer:
        case (Ping(), Pong()) | (Store(), Stored()):
            return ""
        case FindNode(target), Nodes(contacts):
            return _fault_in_contacts(target, contacts)
        case FindValue(key), Values(records, contacts):
            return _fault_in_contacts(key, contacts) or _fault_in_records(core, key, records)
        case _:
            return "it answers another question"


def _fault_in_contacts(target: Hash32, contacts: tuple[Contact, ...]) -> str:
    reached = -1
    for contact in contacts:
        away = distance(target, contact.id)
        if away <= reached:
            return "its contacts do not come nearest first, each once"
        reached = away
    return ""


def _fault_in_records(core: Core, key: Hash32, records: tuple[Record, ...]) -> str:
    if any(record.claim.key != key for record in records):
        return "it answers with a record under another key"
    if len({record.claim.publisher for record in records}) < len(records):
        return "it answers with two records of one publisher"
    try:
        for record in records:
            record.verify(core.setup.genesis_hash)
    except RecordInvalid as error:
        return str(error)
    return ""
