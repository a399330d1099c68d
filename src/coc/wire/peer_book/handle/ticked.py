"""Time has passed: dial, end errands, ask around, save."""

from __future__ import annotations

from coc.primitives.limits_wire import (
    ADDRESSES_ASK_MS,
    DIALS_MAX,
    ERRAND_MS,
    PEER_STORE_SAVE_MS,
)
from coc.primitives.types import Millis
from coc.wire.errors import Reason
from coc.wire.peer_book.connections import Share
from coc.wire.peer_book.effects import AskAddresses, Effect, Save
from coc.wire.peer_book.known import Known
from coc.wire.peer_book.state import Core
from coc.wire.peer_book.store import encode_book


def on_ticked(core: Core, now_ms: Millis) -> list[Effect]:
    """Do what is due."""
    return [
        *_end_errands(core, now_ms),
        *_dial(core, now_ms),
        *_ask_around(core, now_ms),
        *_save(core, now_ms),
    ]


def _end_errands(core: Core, now_ms: Millis) -> list[Effect]:
    effects: list[Effect] = []
    for connection in core.connections:
        opened_ms = connection.opened_ms
        if connection.share is Share.ERRAND and opened_ms is not None and now_ms - opened_ms >= ERRAND_MS:
            effects += core.leave(connection, Reason.NOT_NEEDED)
    return effects


def _dial(core: Core, now_ms: Millis) -> list[Effect]:
    """Dial what is due and not there, configured peers first, learned ones while there is room. WIRE-21."""
    connections = core.connections
    if connections.dials() >= DIALS_MAX:
        return []
    peers, addresses = connections.peers(), connections.addresses()
    effects: list[Effect] = []
    for known in core.known.due(now_ms, with_learned=connections.has_room_outbound()):
        if connections.dials() >= DIALS_MAX:
            break
        if _is_there(known, core, peers) or known.address in addresses:
            continue
        share = _share(core, now_ms, known)
        if share is not None:
            effects.append(core.dial(known.address, known.expected, share)[1])
    return effects


def _share(core: Core, now_ms: Millis, known: Known) -> Share | None:
    """Whose place a dial takes; None where it may not be dialled now."""
    if core.is_peer_banned(now_ms, known.expected or known.seen):
        return None
    if known.is_persistent:
        return Share.PERSISTENT
    host = known.address.host
    if core.is_host_banned(now_ms, host) or not core.connections.may_take_outbound(host):
        return None
    return Share.OUTBOUND


def _is_there(known: Known, core: Core, peers: frozenset[bytes]) -> bool:
    return (
        known.address in core.own_addresses
        or known.expected in peers
        or (known.expected is None and known.seen in peers)
    )


def _ask_around(core: Core, now_ms: Millis) -> list[Effect]:
    effects: list[Effect] = []
    for connection in core.connections:
        if connection.is_leaving or connection.asked_ms is None:
            continue
        if now_ms - connection.asked_ms >= ADDRESSES_ASK_MS:
            connection.asked_ms = now_ms
            connection.awaits_addresses = True
            effects.append(AskAddresses(connection.number))
    return effects


def _save(core: Core, now_ms: Millis) -> list[Effect]:
    if now_ms - core.saved_ms < PEER_STORE_SAVE_MS:
        return []
    core.saved_ms = now_ms
    return [Save(encode_book(core.known.learned(), core.reputations.entries(now_ms)))]
