"""Everything that can happen to the peer book."""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.errors import Reason
from coc.wire.identity import ProvenPeer


@frozen
class Ticked:
    """Time has passed."""


@frozen
class ConnectionOffered:
    """Somebody dialled us from this IP; answered by `Admit`, or by nothing: then it is dropped unheard."""

    host: str


@frozen
class PeerProven:
    """The handshake of a connection is done; `host` is the IP it goes to or comes from."""

    connection: int
    host: str
    peer: ProvenPeer
    channel_hash: bytes


@frozen
class ConnectionOpened:
    """Both sides have welcomed each other."""

    connection: int


@frozen
class ConnectionEnded:
    """A connection is over, or a dial came to nothing (`Reason.LOST`)."""

    connection: int
    reason: Reason
    is_peers_fault: bool = False
    """Whether we found the peer to be wrong; not so if it gave the reason, or the network did."""


@frozen
class PeerReported:
    """A layer saw a peer do what no honest peer does; `points` of `REPUTATION_BAN_POINTS_MIN`."""

    peer: PeerId
    points: int


@frozen
class AddressReported:
    """Whoever sent something from this IP proved no identity; no peer is blamed for it."""

    host: str
    points: int


@frozen
class AddressesAsked:
    """A peer wants to know whom we know."""

    connection: int


@frozen
class AddressesTold:
    """A peer says whom it knows."""

    connection: int
    addresses: tuple[PeerAddress, ...]


@frozen
class AddressFound:
    """A node has shown that it is reachable there: the table of peers, or a seed."""

    address: PeerAddress
    peer: PeerId | None


@frozen
class DialWanted:
    """A layer has a question for this node now; answered by the connection opening, or by `DialGivenUp`."""

    address: PeerAddress
    peer: PeerId | None


@frozen
class PrivilegedChanged:
    """These identities, the validators', are let in beyond the inbound share."""

    peers: frozenset[PeerId]


@frozen
class PeerAdded:
    """An operator wants a connection to this address kept; `peer` must answer there, if one is named."""

    address: PeerAddress
    peer: PeerId | None = None


@frozen
class PeerRemoved:
    """An operator wants no connection to this peer, or to whoever is at this address, any more."""

    peer: PeerId | None
    address: PeerAddress | None


@frozen
class PeerBanned:
    """An operator wants this peer kept out."""

    peer: PeerId


@frozen
class BanLifted:
    """An operator wants this peer, or this owner of addresses, let in again."""

    subject: PeerId | str


Administered: TypeAlias = PeerAdded | PeerRemoved | PeerBanned | BanLifted
"""What an operator says while the node runs."""

Input: TypeAlias = (
    Ticked
    | ConnectionOffered
    | PeerProven
    | ConnectionOpened
    | ConnectionEnded
    | PeerReported
    | AddressReported
    | AddressesAsked
    | AddressesTold
    | AddressFound
    | DialWanted
    | PrivilegedChanged
    | Administered
)
