"""A trivial cipher that fills the Noise Protocols, two sessions that talk through it, and a chain to be on.

The cipher authenticates with a hash and hides nothing, so a test can look into a stream. What only real keys
can show is tested in `tests/adapters/wire`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TypeVar

from hypothesis import HealthCheck, settings

from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import secret_of
from coc.primitives.types import Hash32, PeerId
from coc.wire.errors import Reason
from coc.wire.events import Closed, Event, Opened, Proven, Received
from coc.wire.handshake import HandshakeSetup
from coc.wire.identity import ChainFacts, Identity, Offer, Roles
from coc.wire.noise import NOISE_TAG_BYTES
from coc.wire.pieces import RECORD_BYTES_MAX
from coc.wire.session import Session

E = TypeVar("E", bound=Event)

CHAIN = ChainFacts(Hash32(b"g" * 32), Hash32(b"f" * 32))
OTHER_CHAIN = ChainFacts(Hash32(b"h" * 32), Hash32(b"f" * 32))
OTHER_FORKS = ChainFacts(CHAIN.genesis_hash, Hash32(b"e" * 32))
OFFER = Offer(19_781, Roles.FULL)


def unhurried(examples: int = 100) -> settings:
    """So many examples, however busy the machine is."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class FakeChannel:
    """Messages with a counted tag: none can be dropped, repeated, moved or changed unseen."""

    def __init__(self, key: bytes, *, is_initiator: bool) -> None:
        self._key = key
        self._side = is_initiator
        self._sent = itertools.count()
        self._opened = itertools.count()

    def seal(self, plaintext: bytes) -> bytes:
        return plaintext + self._tag(plaintext, next(self._sent), self._side)

    def open(self, message: bytes) -> bytes:
        plaintext, tag = message[:-NOISE_TAG_BYTES], message[-NOISE_TAG_BYTES:]
        if tag != self._tag(plaintext, next(self._opened), not self._side):
            raise ValueError("wrong tag")
        return plaintext

    def _tag(self, plaintext: bytes, number: int, side: bool) -> bytes:
        head = self._key + bytes((side,)) + number.to_bytes(8, "big")
        return keccak256(head + plaintext)[:NOISE_TAG_BYTES]


class FakeHandshake:
    """Three messages in the clear, each with a tag over all that was said."""

    def __init__(self, static_key: bytes, ephemeral: bytes, *, is_initiator: bool) -> None:
        self._static_key = static_key
        self._ephemeral = ephemeral
        self._is_initiator = is_initiator
        self._said = b""
        self._turn = 0
        self.remote_static: bytes | None = None

    @property
    def hash(self) -> bytes:
        return keccak256(self._said)

    def write(self, payload: bytes) -> bytes:
        keys = (self._ephemeral, self._ephemeral + self._static_key, self._static_key)[self._turn]
        return self._take(keys + payload)

    def read(self, message: bytes) -> bytes:
        body, tag = message[:-NOISE_TAG_BYTES], message[-NOISE_TAG_BYTES:]
        if tag != keccak256(self._said + body)[:NOISE_TAG_BYTES]:
            raise ValueError("wrong tag")
        skip = (32, 64, 32)[self._turn]
        if len(body) < skip:
            raise ValueError("too short")
        if self._turn:
            self.remote_static = body[skip - 32 : skip]
        self._take(body)
        return body[skip:]

    def finish(self) -> FakeChannel:
        return FakeChannel(self.hash, is_initiator=self._is_initiator)

    def _take(self, body: bytes) -> bytes:
        message = body + keccak256(self._said + body)[:NOISE_TAG_BYTES]
        self._said += message
        self._turn += 1
        return message


class FakeNoise:
    """Handshakes with a static key that is just a name; `begin` counts, so no two are alike."""

    def __init__(self, name: str) -> None:
        self.static_key = keccak256(name.encode())
        self._count = itertools.count()

    def begin(self, *, is_initiator: bool) -> FakeHandshake:
        ephemeral = keccak256(self.static_key + next(self._count).to_bytes(8, "big"))
        return FakeHandshake(self.static_key, ephemeral, is_initiator=is_initiator)


def identity(number: int) -> Identity:
    return Identity(secret_of(number.to_bytes(32, "big")))


def setup(number: int, chain: ChainFacts = CHAIN, offer: Offer = OFFER) -> HandshakeSetup:
    return HandshakeSetup(identity(number), chain, FakeNoise(f"node {number}"), offer)


def of_kind(events: Iterable[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def drained(session: Session) -> bytes:
    """Everything that a session has for its socket."""
    return b"".join(iter(lambda: session.data_to_send(RECORD_BYTES_MAX), b""))


class Pair:
    """A dialler and an acceptor, and what each has told its owner."""

    def __init__(
        self,
        left: HandshakeSetup | None = None,
        right: HandshakeSetup | None = None,
        expected: PeerId | None = None,
    ) -> None:
        self.left = Session(left or setup(1), 0, is_initiator=True, expected=expected)
        self.right = Session(right or setup(2), 0, is_initiator=False)
        self.left_events: list[Event] = []
        self.right_events: list[Event] = []

    def pump(self) -> None:
        """Carry bytes both ways until nobody has any."""
        while True:
            forth, back = drained(self.left), drained(self.right)
            if not forth and not back:
                return
            self.right_events += self.right.receive(forth)
            self.left_events += self.left.receive(back)

    def tick(self, now_ms: int) -> None:
        self.left_events += self.left.tick(now_ms)
        self.right_events += self.right.tick(now_ms)

    def received_right(self) -> list[tuple[str, bytes]]:
        return [(event.kind.name, event.payload) for event in of_kind(self.right_events, Received)]

    def closed_left(self) -> Closed:
        (event,) = of_kind(self.left_events, Closed)
        return event

    def closed_right(self) -> Closed:
        (event,) = of_kind(self.right_events, Closed)
        return event

    def reasons(self) -> tuple[Reason, Reason]:
        return self.closed_left().reason, self.closed_right().reason


def opened(left: HandshakeSetup | None = None, right: HandshakeSetup | None = None) -> Pair:
    """Two sessions that have welcomed each other, with nothing left to read."""
    pair = Pair(left, right)
    pair.pump()
    assert of_kind(pair.left_events, Proven)
    assert of_kind(pair.right_events, Proven)
    pair.left_events += pair.left.accept()
    pair.right_events += pair.right.accept()
    pair.pump()
    assert of_kind(pair.left_events, Opened)
    assert of_kind(pair.right_events, Opened)
    pair.left_events.clear()
    pair.right_events.clear()
    return pair
