"""A peer has proven who it is: is there room for it, and for this of its connections?"""

from __future__ import annotations

from coc.primitives.types import Millis, PeerId
from coc.wire.errors import Reason
from coc.wire.peer_book.connections import Connection, Share
from coc.wire.peer_book.effects import Effect, Probe, Welcome
from coc.wire.peer_book.inputs import PeerProven
from coc.wire.peer_book.state import Core


def on_peer_proven(core: Core, now_ms: Millis, event: PeerProven) -> list[Effect]:
    """Welcome the peer, or part from it."""
    connection = core.connections.get(event.connection)
    if connection is None or connection.is_leaving:
        return []
    peer = event.peer.peer
    rival = core.connections.kept_with(peer)
    if connection.share is Share.INBOUND and core.is_privileged(peer):
        connection.share = Share.PRIVILEGED
    refusal = _refusal(core, now_ms, connection, peer)
    connection.place_at(event.host)
    connection.peer = peer
    connection.listen_port = event.peer.offer.listen_port
    connection.channel_hash = event.channel_hash
    known = None if connection.address is None else core.known.get(connection.address)
    if known is not None:
        known.seen = peer
    if refusal is Reason.BANNED or (refusal is not None and rival is None):
        return core.leave(connection, refusal)
    if rival is None:
        return [Welcome(connection.number)]
    if core.connections.stays(connection, rival):
        connection.share = rival.share  # it takes the other's place, so room is no question
        return [*core.leave(rival, Reason.DUPLICATE), Welcome(connection.number)]
    # The peer may have dialled again because the connection we keep is dead: find out now.
    return [*core.leave(connection, Reason.DUPLICATE), Probe(rival.number)]


def _refusal(core: Core, now_ms: Millis, connection: Connection, peer: PeerId) -> Reason | None:
    if core.is_peer_banned(now_ms, peer):
        return Reason.BANNED
    if connection.share is Share.INBOUND and connection.is_on_trial:
        return Reason.BANNED if core.is_host_banned(now_ms, connection.host) else Reason.TOO_MANY_PEERS
    if connection.share is Share.INBOUND and not core.connections.has_room_inbound():
        return Reason.TOO_MANY_PEERS
    return None
