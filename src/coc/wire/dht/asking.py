"""Requests to peers, and the dials that some of them need first (DHT-13).

An errand goes out at once over a connection that exists. Otherwise the peer is dialled, and the errand waits
for `PeerUp`. If the connection breaks before the answer, which says nothing about the peer, it is dialled and
asked once more. Every request and every dial has its timer, so nothing waits for ever; an address where
nobody was is left alone for a minute.
"""

from __future__ import annotations

from coc.primitives.frozen import replace
from coc.primitives.limits_dht import (
    DIAL_MS_MAX,
    DIALS_MAX,
    REQUEST_MS_MAX,
    UNREACHABLE_ADDRESSES_MAX,
    UNREACHABLE_MS_MAX,
)
from coc.primitives.types import Millis, PeerId
from coc.wire.dht.effects import Dial, Effect, Send, SetTimer
from coc.wire.dht.hosts import Contact
from coc.wire.dht.inputs import Timer, TimerKind
from coc.wire.dht.messages import encode_message
from coc.wire.dht.state import Core, Dialling, Errand, Request


def ask(core: Core, now_ms: Millis, contact: Contact, errand: Errand) -> list[Effect] | None:
    """Send an errand, now or after a dial; None if the peer cannot be called."""
    calls = core.calls
    if calls.is_barred(contact.id, now_ms):
        return None
    if contact.id in core.peers:
        return _send(core, now_ms, contact, errand)
    known = calls.dialled.get(contact.id)
    if known is not None:
        calls.dials[known].errands.append(errand)
        return []
    if is_unreachable(core, now_ms, contact) or len(calls.dials) >= DIALS_MAX:
        return None
    number = core.number()
    calls.dials[number] = Dialling(contact, [errand])
    calls.dialled[contact.id] = number
    return [
        Dial(contact.host_text, contact.port, contact.id),
        SetTimer(Timer(TimerKind.DIAL, number), Millis(now_ms + DIAL_MS_MAX)),
    ]


def is_unreachable(core: Core, now_ms: Millis, contact: Contact) -> bool:
    """Whether nobody was at this address a moment ago."""
    return core.calls.unreachable.get(contact, now_ms) > now_ms


def connected(core: Core, now_ms: Millis, peer: PeerId) -> list[Effect]:
    """A peer is there: send what waited for it."""
    number = core.calls.dialled.pop(peer, None)
    if number is None:
        return []
    dialling = core.calls.dials.pop(number)
    return [effect for errand in dialling.errands for effect in _send(core, now_ms, dialling.contact, errand)]


def give_up_dial(core: Core, now_ms: Millis, number: int) -> Dialling | None:
    """A dial failed or took too long: remember the address, and return what waited for it."""
    calls = core.calls
    dialling = calls.dials.pop(number, None)
    if dialling is None:
        return None
    del calls.dialled[dialling.contact.id]
    calls.unreachable.pop(dialling.contact, None)
    if len(calls.unreachable) >= UNREACHABLE_ADDRESSES_MAX:
        del calls.unreachable[next(iter(calls.unreachable))]
    calls.unreachable[dialling.contact] = now_ms + UNREACHABLE_MS_MAX
    return dialling


def ask_again(core: Core, now_ms: Millis, request: Request) -> list[Effect] | None:
    """The connection broke before the answer: a second try, or None if this was it."""
    if request.errand.is_second_try:
        return None
    return ask(core, now_ms, request.contact, replace(request.errand, is_second_try=True))


def close(core: Core, number: int) -> Request | None:
    """A request is over, one way or the other."""
    request = core.calls.requests.pop(number, None)
    peer = core.peers.get(request.contact.id) if request else None
    if peer is not None:
        peer.asked -= 1
    return request


def close_all(core: Core, peer: PeerId) -> list[Request]:
    """All requests to a peer are over."""
    numbers = [number for number, request in core.calls.requests.items() if request.contact.id == peer]
    return [request for number in numbers if (request := close(core, number)) is not None]


def _send(core: Core, now_ms: Millis, contact: Contact, errand: Errand) -> list[Effect]:
    number = core.dice.below(1 << 64)
    while number in core.calls.requests:
        number = core.dice.below(1 << 64)
    core.calls.requests[number] = Request(contact, errand)
    core.peers[contact.id].asked += 1
    return [
        Send(contact.id, encode_message(number, errand.question)),
        SetTimer(Timer(TimerKind.REQUEST, number), Millis(now_ms + REQUEST_MS_MAX)),
    ]
