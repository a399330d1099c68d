"""A layer reports a peer, or an address that proved to be nobody's."""

from __future__ import annotations

from coc.primitives.types import Millis
from coc.wire.peer_book.effects import Effect
from coc.wire.peer_book.inputs import AddressReported, PeerReported
from coc.wire.peer_book.reputation import UNPROVEN_POINTS_MAX
from coc.wire.peer_book.state import Core


def on_peer_reported(core: Core, now_ms: Millis, event: PeerReported) -> list[Effect]:
    """Give the peer points; one that is gone already has an identity, but no address to blame."""
    connection = core.connections.kept_with(event.peer)
    host = None if connection is None else connection.host
    return core.blame(now_ms, host, event.peer, event.points)


def on_address_reported(core: Core, now_ms: Millis, event: AddressReported) -> list[Effect]:
    """Give an address points; others may share it, so it never loses much at once. WIRE-29."""
    return core.blame(now_ms, event.host, None, min(event.points, UNPROVEN_POINTS_MAX))
