"""What a peer book is built with."""

from __future__ import annotations

from coc.primitives.frozen import frozen
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress, is_global, is_loopback, is_usable


@frozen
class PersistentPeer:
    """A peer that an operator configured: dialled for ever, let in beyond the shares."""

    address: PeerAddress
    peer: PeerId | None = None
    """Who must answer there; None takes whoever does."""


@frozen
class BookSetup:
    """Who we are, and whom the operator told us to call."""

    own: PeerId
    persistent: tuple[PersistentPeer, ...] = ()
    seeds: tuple[PeerAddress, ...] = ()
    """Addresses to begin with: dialled like learned ones, and forgotten like them."""
    is_development: bool = False
    """On a development chain many nodes share one machine: loopback counts towards no cap of addresses, and
    loopback addresses may be told.
    """

    def is_exempt(self, host: str) -> bool:
        """Whether a host counts towards no cap of one address or network."""
        return self.is_development and is_loopback(host)

    def is_tellable(self, host: str, other: str) -> bool:
        """Whether `host` means the same machine to us and to the peer at `other`.

        A private address does to somebody who is not on the internet side of us, a loopback address only to
        a node of this machine.
        """
        if is_loopback(host):
            return self.is_exempt(host) and is_loopback(other)
        return is_global(host) or (is_usable(host) and not is_global(other))
