"""A peer book on a stage: the test dials in, proves identities, and moves the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from coc.primitives.keccak import keccak256
from coc.primitives.limits_wire import WIRE_TICK_MS
from coc.primitives.types import Millis, PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.errors import Reason
from coc.wire.identity import Offer, ProvenPeer
from coc.wire.peer_book import effects as fx
from coc.wire.peer_book import inputs as ev
from coc.wire.peer_book.machine import PeerBook
from coc.wire.peer_book.rules import BookSetup, PersistentPeer
from coc.wire.peer_book.store import StoredBook, decode_book

E = TypeVar("E", bound=fx.Effect)

START_MS = 1_700_000_000_000
OWN = PeerId(b"\x80" * 32)
SMALLER = PeerId(b"\x10" * 32)
"""A peer whose id is smaller than ours: what it dials stays."""
LARGER = PeerId(b"\xf0" * 32)


def peer(number: int) -> PeerId:
    return PeerId(keccak256(number.to_bytes(4, "big")))


def public(number: int, port: int = 19_781) -> PeerAddress:
    """An address on the internet, each in a network of its own."""
    return PeerAddress(f"{20 + number // 200}.{number % 200}.0.1", port)


def of_kind(effects: Sequence[fx.Effect], kind: type[E]) -> list[E]:
    return [effect for effect in effects if isinstance(effect, kind)]


class Playbook:
    """A book, and the time."""

    def __init__(
        self,
        persistent: Sequence[PersistentPeer] = (),
        seeds: Sequence[PeerAddress] = (),
        *,
        is_development: bool = False,
        stored: StoredBook | None = None,
    ) -> None:
        self.now_ms = START_MS
        self.setup = BookSetup(OWN, tuple(persistent), tuple(seeds), is_development)
        self.book = PeerBook(self.setup, stored or StoredBook(), Millis(self.now_ms))

    def feed(self, event: ev.Input) -> list[fx.Effect]:
        return self.book.step(Millis(self.now_ms), event)

    def tick(self, passed_ms: int = 0) -> list[fx.Effect]:
        self.now_ms += passed_ms
        return self.feed(ev.Ticked())

    def dials(self, passed_ms: int = 0) -> list[fx.Dial]:
        return of_kind(self.tick(passed_ms), fx.Dial)

    def run(self, for_ms: int) -> list[fx.Effect]:
        """Tick as the node does."""
        effects: list[fx.Effect] = []
        for _ in range(0, for_ms, WIRE_TICK_MS):
            effects += self.tick(WIRE_TICK_MS)
        return effects

    def offer(self, host: str) -> int | None:
        """Somebody dials us; the connection, if it is admitted."""
        admitted = of_kind(self.feed(ev.ConnectionOffered(host)), fx.Admit)
        return admitted[0].connection if admitted else None

    def prove(
        self, connection: int, who: PeerId, host: str, channel_hash: bytes = b"c" * 32, port: int = 0
    ) -> list[fx.Effect]:
        proven = ProvenPeer(who, bytes(64), Offer(port))
        return self.feed(ev.PeerProven(connection, host, proven, channel_hash))

    def open(self, connection: int, who: PeerId, host: str, port: int = 0) -> list[fx.Effect]:
        """Prove, and expect a welcome."""
        effects = self.prove(connection, who, host, bytes(28) + connection.to_bytes(4, "big"), port)
        assert of_kind(effects, fx.Welcome) == [fx.Welcome(connection)], effects
        return self.feed(ev.ConnectionOpened(connection))

    def come_in(self, who: PeerId, host: str, port: int = 0) -> int:
        """A peer dials us and is welcome."""
        connection = self.offer(host)
        assert connection is not None
        self.open(connection, who, host, port)
        return connection

    def go_out(self, dial: fx.Dial, who: PeerId) -> int:
        """Our dial leads to a peer."""
        self.open(dial.connection, who, dial.address.host)
        return dial.connection

    def end(
        self, connection: int, reason: Reason = Reason.LOST, *, is_peers_fault: bool = False
    ) -> list[fx.Effect]:
        return self.feed(ev.ConnectionEnded(connection, reason, is_peers_fault))

    def restarted(self) -> Playbook:
        """The next run, which knows what this one has saved."""
        stored = decode_book(self.book.encode(Millis(self.now_ms)), Millis(self.now_ms))
        again = Playbook(self.setup.persistent, is_development=self.setup.is_development, stored=stored)
        again.now_ms = self.now_ms
        return again

    def learn(self, *addresses: PeerAddress) -> None:
        for address in addresses:
            self.feed(ev.AddressFound(address, None))

    def known(self) -> set[PeerAddress]:
        return {known.address for known in self.book.known()}
