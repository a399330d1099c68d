"""A peer asks something: the answer, in one message."""

from __future__ import annotations

from typing import assert_never

from coc.primitives.limits_dht import ANSWER_RECORDS_MAX
from coc.primitives.types import Millis, PeerId
from coc.wire.dht.effects import Effect, Send
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
    encode_message,
)
from coc.wire.dht.outcomes import misbehaved
from coc.wire.dht.records import Record, RecordInvalid
from coc.wire.dht.state import Core


def on_question(core: Core, now_ms: Millis, peer: PeerId, number: int, question: Question) -> list[Effect]:
    """Answer from what we know; a record is held if it is its sender's own (DHT-15)."""
    match question:
        case Ping():
            answer: Answer = Pong()
        case FindNode(target):
            answer = Nodes(core.table.named_to(peer, target))
        case FindValue(key):
            records = core.dice.sample(core.records_under(key, now_ms), ANSWER_RECORDS_MAX)
            answer = Values(tuple(records), core.table.named_to(peer, key))
        case Store(record):
            fault = _fault(core, peer, record)
            if fault:
                return misbehaved(core, now_ms, peer, fault)
            answer = Stored(core.store.hold(record, core.peers[peer].host, now_ms))
        case _:
            assert_never(question)
    return [Send(peer, encode_message(number, answer))]


def _fault(core: Core, peer: PeerId, record: Record) -> str:
    if record.claim.publisher != core.peers[peer].public_key:
        return "it stores a record of somebody else"
    try:
        record.verify(core.setup.genesis_hash)
    except RecordInvalid as error:
        return str(error)
    return ""
