"""Connections from first packet to last, and which of two to the same peer stays.

Two nodes that dial each other at the same moment end up with two connections, and must both keep the same
one. Both know who dialled which and both have the same hash of each handshake, so both order them alike: the
connection dialled by the smaller peer id stays; of two dialled by the same node, the one with the smaller
hash. WIRE-24.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from coc.primitives.limits_wire import (
    HANDSHAKES_INBOUND_MAX,
    HANDSHAKES_ON_TRIAL_MAX,
    PEERS_INBOUND_MAX,
    PEERS_INBOUND_PER_IP_MAX,
    PEERS_OUTBOUND_MAX,
    PEERS_OUTBOUND_PER_NETWORK_MAX,
)
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress, network_of, owner_of
from coc.wire.peer_book.inputs import DialWanted
from coc.wire.peer_book.rules import BookSetup


class Share(enum.Enum):
    """Whose place a connection takes."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    PERSISTENT = "persistent"
    ERRAND = "errand"
    PRIVILEGED = "privileged"
    """From a validator or a configured peer, or to one whom a layer wanted: beyond the shares."""


@dataclass(slots=True)
class Connection:
    """One connection."""

    number: int
    share: Share
    host: str
    address: PeerAddress | None = None
    """What we dialled; None where the peer did."""
    wishes: list[DialWanted] = field(default_factory=list)
    """What layers wait for on it."""
    peer: PeerId | None = None
    listen_port: int = 0
    channel_hash: bytes = b""
    opened_ms: int | None = None
    is_leaving: bool = False
    is_on_trial: bool = False
    """Whether only a privileged peer may stay: for a stranger there was no room, or its address is banned."""
    asked_ms: int | None = None
    """When the peer was last asked for addresses."""
    awaits_addresses: bool = False
    told_ms: int | None = None
    owner: str = field(init=False)
    network: str = field(init=False)

    def __post_init__(self) -> None:
        """Know whom the host counts for: it is asked for every connection whenever somebody comes."""
        self.place_at(self.host)

    def place_at(self, host: str) -> None:
        """The host is this one; a name has been resolved."""
        self.host, self.owner, self.network = host, owner_of(host), network_of(host)

    @property
    def is_proven(self) -> bool:
        """Whether the handshake is done."""
        return self.peer is not None

    @property
    def listens_at(self) -> PeerAddress | None:
        """Where the peer says it accepts connections."""
        return PeerAddress(self.host, self.listen_port) if self.listen_port else None


class Connections:
    """All of them."""

    def __init__(self, setup: BookSetup) -> None:
        """None yet."""
        self._setup = setup
        self._by_number: dict[int, Connection] = {}
        self._next_number = 1

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._by_number.values())

    def add(self, share: Share, host: str, address: PeerAddress | None = None) -> Connection:
        """Number a new connection."""
        connection = Connection(self._next_number, share, host, address)
        self._by_number[connection.number] = connection
        self._next_number += 1
        return connection

    def get(self, number: int) -> Connection | None:
        """The connection with this number, while it lasts."""
        return self._by_number.get(number)

    def remove(self, number: int) -> Connection | None:
        """Forget a connection that has ended."""
        return self._by_number.pop(number, None)

    def kept_with(self, peer: PeerId) -> Connection | None:
        """The proven connection with a peer that is not being left."""
        return next((entry for entry in self if entry.peer == peer and not entry.is_leaving), None)

    def peers(self) -> frozenset[PeerId]:
        """Everybody whose identity is proven on a connection that is kept."""
        return frozenset(entry.peer for entry in self if entry.peer is not None and not entry.is_leaving)

    def addresses(self) -> frozenset[PeerAddress]:
        """Everything dialled, and everywhere that connected peers listen."""
        dialled = {entry.address for entry in self if entry.address is not None}
        listening = {entry.listens_at for entry in self if entry.listens_at is not None}
        return frozenset(dialled | listening)

    def stays(self, one: Connection, other: Connection) -> bool:
        """Whether `one` is the connection that both sides keep; both go to the same peer."""
        return self._order(one) < self._order(other)

    def _order(self, connection: Connection) -> tuple[bytes, bytes]:
        dialler = self._setup.own if connection.address is not None else connection.peer or b""
        return (dialler, connection.channel_hash)

    def has_open(self) -> bool:
        """Whether anybody can be reached."""
        return any(entry.opened_ms is not None for entry in self)

    # ── Room ────────────────────────────────────────────────────────────────────────────────────────────────

    def has_room_to_admit(self, host: str) -> bool:
        """Whether a stranger from this IP may begin a handshake."""
        inbound = [entry for entry in self if entry.address is None]
        if sum(not (entry.is_proven or entry.is_on_trial) for entry in inbound) >= HANDSHAKES_INBOUND_MAX:
            return False
        owner = owner_of(host)
        same_owner = sum(entry.owner == owner for entry in inbound)
        return self._setup.is_exempt(host) or same_owner < PEERS_INBOUND_PER_IP_MAX

    def has_room_for_trial(self, host: str) -> bool:
        """Whether somebody for whom there is no room may show who it is. WIRE-26."""
        owner = owner_of(host)
        trials = [entry.owner for entry in self if entry.is_on_trial and not entry.is_proven]
        return len(trials) < HANDSHAKES_ON_TRIAL_MAX and owner not in trials

    def has_room_inbound(self) -> bool:
        """Whether another proven stranger fits the inbound share."""
        taken = sum(entry.share is Share.INBOUND and entry.is_proven for entry in self)
        return taken < PEERS_INBOUND_MAX

    def has_room_outbound(self) -> bool:
        """Whether the outbound share has a place."""
        return self.count(Share.OUTBOUND) < PEERS_OUTBOUND_MAX

    def may_take_outbound(self, host: str) -> bool:
        """Whether a learned address at this host may have one."""
        if self._setup.is_exempt(host):
            return self.has_room_outbound()
        network = network_of(host)
        same_network = sum(entry.share is Share.OUTBOUND and entry.network == network for entry in self)
        return self.has_room_outbound() and same_network < PEERS_OUTBOUND_PER_NETWORK_MAX

    def dials(self) -> int:
        """Dialled connections that have proven nobody yet."""
        return sum(entry.address is not None and not entry.is_proven for entry in self)

    def count(self, share: Share) -> int:
        """Connections that take a place of this share."""
        return sum(entry.share is share for entry in self)
