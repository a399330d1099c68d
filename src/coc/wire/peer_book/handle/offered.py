"""Somebody has dialled us. Strangers cost nothing before they are admitted: no handshake, no memory."""

from __future__ import annotations

from coc.primitives.types import Millis
from coc.wire.peer_book.connections import Share
from coc.wire.peer_book.effects import Admit, Effect
from coc.wire.peer_book.inputs import ConnectionOffered
from coc.wire.peer_book.state import Core


def on_connection_offered(core: Core, now_ms: Millis, event: ConnectionOffered) -> list[Effect]:
    """Admit a stranger whose address is not banned and has room. WIRE-26."""
    if core.is_host_banned(now_ms, event.host) or not core.connections.has_room_to_admit(event.host):
        return []
    return [Admit(core.connections.add(Share.INBOUND, event.host).number)]
