"""What the handlers work on."""

from __future__ import annotations

from coc.primitives.limits_wire import ADDRESSES_PER_MESSAGE_MAX
from coc.primitives.types import Millis, PeerId
from coc.wire.addresses import PeerAddress, is_loopback, owner_of
from coc.wire.errors import Reason
from coc.wire.peer_book.connections import Connection, Connections, Share
from coc.wire.peer_book.effects import Banned, Dial, Effect, Leave
from coc.wire.peer_book.known import KnownAddresses
from coc.wire.peer_book.reputation import Reputations, Subject
from coc.wire.peer_book.rules import BookSetup
from coc.wire.peer_book.store import StoredBook


class Core:
    """Connections, addresses, reputations, and who is privileged."""

    def __init__(self, setup: BookSetup, stored: StoredBook, now_ms: Millis) -> None:
        """Begin with what the last run knew."""
        self.setup = setup
        self.connections = Connections(setup)
        self.known = KnownAddresses(setup)
        for known in stored.addresses:
            self.known.learn(known, frozenset())
        self.reputations = Reputations(stored.standings)
        self.validators: frozenset[PeerId] = frozenset()
        self.own_addresses: set[PeerAddress] = set()
        self.saved_ms = now_ms

    def is_privileged(self, peer: PeerId) -> bool:
        """Whether a peer is let in beyond the inbound share: a validator, or whom the operator configured."""
        return peer in self.validators or any(
            known.is_persistent and peer in (known.expected, known.seen) for known in self.known
        )

    def has_privileged(self) -> bool:
        """Whether anybody is."""
        return bool(self.validators) or any(known.is_persistent for known in self.known)

    def is_peer_banned(self, now_ms: Millis, peer: PeerId | None) -> bool:
        """Whether this identity stays out."""
        return peer is not None and self.reputations.is_banned(now_ms, peer)

    def is_host_banned(self, now_ms: Millis, host: str) -> bool:
        """Whether this address stays out; loopback never does, because it is never blamed."""
        return self.reputations.is_banned(now_ms, owner_of(host))

    def dial(self, address: PeerAddress, expected: PeerId | None, share: Share) -> tuple[Connection, Dial]:
        """Begin to dial."""
        connection = self.connections.add(share, address.host, address)
        return connection, Dial(connection.number, address, expected)

    def leave(self, connection: Connection, reason: Reason) -> list[Effect]:
        """Part from a peer, once."""
        if connection.is_leaving:
            return []
        connection.is_leaving = True
        return [Leave(connection.number, reason)]

    def blame(self, now_ms: Millis, host: str | None, peer: PeerId | None, points: int) -> list[Effect]:
        """Give points to a peer, or to an address where nobody was proven; part from whoever is banned by it.

        The ban of a peer is one of its address too, but never of loopback, which everybody here shares.
        """
        effects: list[Effect] = []
        subjects: list[Subject] = [] if peer is None else [peer]
        if host is not None and not is_loopback(host):
            subjects.append(owner_of(host))
        if not subjects:
            return []
        until_ms = self.reputations.add(now_ms, subjects[0], points)
        if until_ms is None:
            return []
        effects.append(Banned(_shown(subjects[0]), Millis(until_ms)))
        for owner in subjects[1:]:
            also_ms = self.reputations.ban(now_ms, owner)
            if also_ms is not None:
                effects.append(Banned(_shown(owner), Millis(also_ms)))
        for connection in self.connections:
            if peer is not None and connection.peer == peer:
                effects += self.leave(connection, Reason.BANNED)
        return effects

    def note_own_address(self, address: PeerAddress) -> None:
        """Never dial ourselves again; a node has few addresses, so few are remembered."""
        if len(self.own_addresses) < ADDRESSES_PER_MESSAGE_MAX:
            self.own_addresses.add(address)


def _shown(subject: Subject) -> str:
    return subject if isinstance(subject, str) else subject.hex()
