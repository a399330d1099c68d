"""Somebody has dialled us. Strangers cost nothing before they are admitted: no handshake, no memory."""

from __future__ import annotations

from coc.primitives.types import Millis
from coc.wire.peer_book.connections import Share
from coc.wire.peer_book.effects import Admit, Effect
from coc.wire.peer_book.inputs import ConnectionOffered
from coc.wire.peer_book.state import Core


def on_connection_offered(core: Core, now_ms: Millis, event: ConnectionOffered) -> list[Effect]:
    """Admit a stranger whose address is not banned and has room, and else perhaps a validator. WIRE-26.

    Whoever is there shows that in the handshake; until there are validators nobody else is let in on trial.
    """
    connections = core.connections
    has_room = not core.is_host_banned(now_ms, event.host) and connections.has_room_to_admit(event.host)
    if not has_room and not (core.has_privileged() and connections.has_room_for_trial(event.host)):
        return []
    connection = connections.add(Share.INBOUND, event.host)
    connection.is_on_trial = not has_room
    return [Admit(connection.number)]
