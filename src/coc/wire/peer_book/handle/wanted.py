"""What layers wish: a connection for a question, and open doors for validators."""

from __future__ import annotations

from coc.primitives.limits_wire import ERRANDS_MAX, PEERS_PRIVILEGED_MAX
from coc.primitives.types import Millis
from coc.wire.peer_book.connections import Share
from coc.wire.peer_book.effects import DialGivenUp, Effect
from coc.wire.peer_book.inputs import DialWanted, PrivilegedChanged
from coc.wire.peer_book.state import Core


def on_dial_wanted(core: Core, now_ms: Millis, event: DialWanted) -> list[Effect]:
    """Dial beside the outbound share, unless the node is there already or may not be dialled. WIRE-23."""
    connections = core.connections
    kept = None if event.peer is None else connections.kept_with(event.peer)
    if kept is not None and kept.opened_ms is not None:
        return []
    dialled = next((entry for entry in connections if entry.address == event.address), None)
    under_way = kept or dialled
    if under_way is not None and under_way.opened_ms is None and len(under_way.wishes) < ERRANDS_MAX:
        under_way.wishes.append(event)
        return []
    if (
        dialled is not None
        or event.address in core.own_addresses
        or event.peer == core.setup.own
        or core.is_peer_banned(now_ms, event.peer)
        or core.is_host_banned(now_ms, event.address.host)
        or connections.count(Share.ERRAND) >= ERRANDS_MAX
    ):
        return [DialGivenUp(event.address, event.peer)]
    connection, dial = core.dial(event.address, event.peer, Share.ERRAND)
    connection.wishes.append(event)
    return [dial]


def on_privileged_changed(core: Core, event: PrivilegedChanged) -> list[Effect]:
    """From now on these are let in beyond the inbound share; who is in already takes no stranger's place."""
    core.validators = frozenset(sorted(event.peers)[:PEERS_PRIVILEGED_MAX])
    for connection in core.connections:
        if connection.share in (Share.INBOUND, Share.PRIVILEGED) and connection.peer is not None:
            is_privileged = core.is_privileged(connection.peer)
            of_strangers = Share.INBOUND if connection.address is None else Share.ERRAND
            connection.share = Share.PRIVILEGED if is_privileged else of_strangers
    return []
