"""Addresses asked for, told, and found."""

from __future__ import annotations

from coc.primitives.limits_wire import ADDRESSES_ANSWER_MS_MIN, ADDRESSES_PER_MESSAGE_MAX
from coc.primitives.types import Millis
from coc.wire.addresses import Scheme
from coc.wire.peer_book.effects import Effect, TellAddresses
from coc.wire.peer_book.inputs import AddressesAsked, AddressesTold, AddressFound
from coc.wire.peer_book.known import Known, Source
from coc.wire.peer_book.reputation import UNASKED_POINTS
from coc.wire.peer_book.state import Core


def on_addresses_asked(core: Core, now_ms: Millis, event: AddressesAsked) -> list[Effect]:
    """Tell the best of what has worked; whoever asks too often gets no answer. WIRE-27."""
    connection = core.connections.get(event.connection)
    if connection is None or connection.is_leaving:
        return []
    if connection.told_ms is not None and now_ms - connection.told_ms < ADDRESSES_ANSWER_MS_MIN:
        return []
    connection.told_ms = now_ms
    connected = core.connections.peers() - {connection.peer}
    worked = sorted(
        (
            known
            for known in core.known
            if (known.succeeded_ms or known.seen in connected)
            and known.seen != connection.peer
            and known.address.scheme is Scheme.TCP
            and core.setup.is_tellable(known.address.host, connection.host)
        ),
        key=Known.worth,
    )
    addresses = tuple(known.address for known in worked[:ADDRESSES_PER_MESSAGE_MAX])
    return [TellAddresses(connection.number, addresses)]


def on_addresses_told(core: Core, now_ms: Millis, event: AddressesTold) -> list[Effect]:
    """Learn what was asked for; blame whoever tells unasked. WIRE-27."""
    connection = core.connections.get(event.connection)
    if connection is None or connection.peer is None:
        return []
    if not connection.awaits_addresses:
        return core.blame(now_ms, connection.host, connection.peer, UNASKED_POINTS)
    connection.awaits_addresses = False
    in_use = core.connections.addresses()
    for address in event.addresses[:ADDRESSES_PER_MESSAGE_MAX]:
        if address not in core.own_addresses and core.setup.is_tellable(address.host, connection.host):
            core.known.learn(Known(address, Source.TOLD), in_use)
    return []


def on_address_found(core: Core, event: AddressFound) -> list[Effect]:
    """Learn where a node has been seen, and who it is."""
    if event.address not in core.own_addresses and event.peer != core.setup.own:
        core.known.learn(
            Known(event.address, Source.FOUND, expected=event.peer), core.connections.addresses()
        )
    return []
