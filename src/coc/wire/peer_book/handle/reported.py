"""A layer reports a peer."""

from __future__ import annotations

from coc.primitives.types import Millis
from coc.wire.peer_book.effects import Effect
from coc.wire.peer_book.inputs import PeerReported
from coc.wire.peer_book.state import Core


def on_peer_reported(core: Core, now_ms: Millis, event: PeerReported) -> list[Effect]:
    """Give the peer points; one that is gone already has an identity, but no address to blame."""
    connection = core.connections.kept_with(event.peer)
    host = None if connection is None else connection.host
    return core.blame(now_ms, host, event.peer, event.points)
