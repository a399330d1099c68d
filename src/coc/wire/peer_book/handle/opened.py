"""A connection is up."""

from __future__ import annotations

from coc.primitives.types import Millis
from coc.wire.peer_book.connections import Share
from coc.wire.peer_book.effects import AskAddresses, Effect
from coc.wire.peer_book.inputs import ConnectionOpened
from coc.wire.peer_book.known import Known, Source
from coc.wire.peer_book.state import Core


def on_connection_opened(core: Core, now_ms: Millis, event: ConnectionOpened) -> list[Effect]:
    """Remember where the peer is; ask those whom we dialled for others.

    Only those: who dialled us chose us, and would choose what we hear.
    """
    connection = core.connections.get(event.connection)
    if connection is None or connection.peer is None or connection.is_leaving:
        return []
    connection.opened_ms = now_ms
    if connection.address is None:
        listens_at = connection.listens_at
        if listens_at is not None and listens_at not in core.own_addresses:
            core.known.learn(
                Known(listens_at, Source.INBOUND, seen=connection.peer), core.connections.addresses()
            )
        return []
    known = core.known.get(connection.address)
    if known is None and connection.share is Share.ERRAND:
        known = Known(connection.address, Source.FOUND)
        core.known.learn(known, core.connections.addresses())
    if known is not None:
        core.known.on_success(now_ms, known, connection.peer)
    if connection.share is Share.ERRAND and core.connections.may_take_outbound(connection.host):
        connection.share = Share.OUTBOUND
    elif connection.share is Share.ERRAND and core.is_privileged(connection.peer):
        connection.share = Share.PRIVILEGED  # a validator is no errand: it stays beyond the share
    connection.asked_ms = now_ms
    connection.awaits_addresses = True
    return [AskAddresses(connection.number)]
