"""What a network is built with, and where it hands what peers say."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Protocol

from coc.adapters.wire.listening import bound
from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import Secret
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.identity import ChainFacts, PeerFacts, Roles
from coc.wire.kinds import Kind
from coc.wire.peer_book.rules import PersistentPeer


@frozen
class NetworkSetup:
    """Who the node is and where it meets others; without a folder it forgets them."""

    identity: Secret
    chain: ChainFacts
    listen: tuple[str, int] | socket.socket
    """Where to accept connections: host and port, where port 0 lets the system choose, or a bound socket."""
    persistent: tuple[PersistentPeer, ...] = ()
    folder: Path | None = None
    seeds: tuple[PeerAddress, ...] = ()
    roles: Roles = Roles.NONE
    http: tuple[str, int] | socket.socket | None = None
    """Where to accept peers over HTTP, if at all (`specs/http-gossip.md`)."""
    http_proxy: tuple[str, int] | None = None
    """A forward proxy through which peers over HTTP are dialled."""
    advertised_port: int = 0
    """The port to name to peers, if it is not the one listened on."""
    is_development: bool = False
    """Whether many nodes may share this machine; a node that listens on loopback only expects that anyway."""


class Router(Protocol):
    """Where messages go. What it raises is logged as a defect and costs the peer nothing."""

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """A peer is connected: messages can be sent."""
        ...

    def on_peer_down(self, peer: PeerId) -> None:
        """A peer is gone."""
        ...

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        """A peer sent a message."""
        ...


def bound_at(place: tuple[str, int] | socket.socket) -> socket.socket:
    """The socket of a place to listen at.

    Raises:
        WireListenFailed: the address is in use, not ours, or none.
    """
    return bound(*place) if isinstance(place, tuple) else place
