"""Bytes from a peer: within its budget, well formed, and then a question or an answer (DHT-20 to DHT-22)."""

from __future__ import annotations

from coc.primitives.limits_dht import DROPPED_MESSAGES_MAX, STORE_TOKENS
from coc.primitives.types import Millis, PeerId
from coc.wire.dht.effects import Effect
from coc.wire.dht.handle.answer import on_answer
from coc.wire.dht.handle.question import on_question
from coc.wire.dht.inputs import MessageReceived
from coc.wire.dht.messages import (
    FindNode,
    FindValue,
    Kind,
    MessageInvalid,
    Ping,
    Store,
    decode_message,
    kind_of,
)
from coc.wire.dht.outcomes import misbehaved
from coc.wire.dht.state import Core, Peer


def on_message(core: Core, now_ms: Millis, event: MessageReceived) -> list[Effect]:
    """Take in a message; one beyond the budget is dropped before it is read."""
    peer = core.peers.get(event.peer)
    if peer is None or core.calls.is_barred(event.peer, now_ms):
        return []
    try:
        kind = kind_of(event.data)
        is_awaited = kind.is_answer and peer.asked > 0
        if not is_awaited and not peer.budget.take(now_ms, STORE_TOKENS if kind is Kind.STORE else 1):
            return _drop(core, now_ms, event.peer, peer)
        number, body = decode_message(event.data)
    except MessageInvalid as error:
        return misbehaved(core, now_ms, event.peer, str(error))
    core.table.heard(event.peer, now_ms)
    match body:
        case Ping() | FindNode() | FindValue() | Store():
            return on_question(core, now_ms, event.peer, number, body)
        case _ if number in core.calls.requests:
            return on_answer(core, now_ms, event.peer, number, body)
        case _ if is_awaited and not peer.budget.take(now_ms, 1):
            return _drop(core, now_ms, event.peer, peer)
        case _:
            return []


def _drop(core: Core, now_ms: Millis, name: PeerId, peer: Peer) -> list[Effect]:
    peer.dropped += 1
    if peer.dropped < DROPPED_MESSAGES_MAX:
        return []
    peer.dropped = 0
    return misbehaved(core, now_ms, name, "it sends more than its budget, without end")
