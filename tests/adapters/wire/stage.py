"""Networks on loopback sockets with real Noise, and routers that note what they are told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from coc.adapters.wire.network import Network
from coc.adapters.wire.network_setup import NetworkSetup
from coc.adapters.wire.noise import fresh_noise
from coc.primitives.frozen import replace
from coc.primitives.secp256k1 import Secret, secret_of
from coc.primitives.types import Hash32, PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.events import Event, Opened, Proven
from coc.wire.handshake import HandshakeSetup
from coc.wire.identity import ChainFacts, Identity, Offer, PeerFacts
from coc.wire.kinds import Kind
from coc.wire.peer_book.rules import PersistentPeer
from coc.wire.pieces import RECORD_BYTES_MAX, encode_record
from coc.wire.session import Session

WAIT_SECONDS_MAX = 30.0
"""What a test waits for comes in milliseconds; only a defect lets it wait this long."""
CHAIN = ChainFacts(Hash32(b"g" * 32), Hash32(b"f" * 32))
OTHER_CHAIN = ChainFacts(Hash32(b"o" * 32), CHAIN.fork_id)
HOST = "127.0.0.1"


def secret(number: int) -> Secret:
    return secret_of(number.to_bytes(32, "big"))


def peer_of(number: int) -> PeerId:
    return Identity(secret(number)).peer


@dataclass
class Notes:
    """A router that notes everything; `changed` is set whenever there is something new."""

    ups: list[PeerId] = field(default_factory=list)
    downs: list[PeerId] = field(default_factory=list)
    facts: dict[PeerId, PeerFacts] = field(default_factory=dict)
    messages: list[tuple[PeerId, str, bytes]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        self.ups.append(peer)
        self.facts[peer] = facts
        self.changed.set()

    def on_peer_down(self, peer: PeerId) -> None:
        self.downs.append(peer)
        self.changed.set()

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        self.messages.append((peer, kind.name, payload))
        self.changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what must come."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what nobody signals."""
    loop = asyncio.get_running_loop()
    end = loop.time() + WAIT_SECONDS_MAX
    while not holds():
        assert loop.time() < end, "it did not come"
        await asyncio.sleep(0)


@dataclass
class Node:
    """A network and its notes."""

    network: Network
    notes: Notes

    @property
    def peer(self) -> PeerId:
        return self.network.peer

    @property
    def address(self) -> PeerAddress:
        return PeerAddress(HOST, self.network.port)

    def as_persistent(self) -> PersistentPeer:
        return PersistentPeer(self.address, self.peer)

    def is_up(self, *others: Node) -> bool:
        return {facts.peer for facts in self.network.peers()} >= {other.peer for other in others}


class Stage:
    """Makes nodes and closes them."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    async def node(
        self,
        number: int,
        *persistent: PersistentPeer,
        folder: Path | None = None,
        chain: ChainFacts = CHAIN,
        **choices: object,
    ) -> Node:
        notes = Notes()
        setup = NetworkSetup(secret(number), chain, (HOST, 0), persistent, folder)
        network = Network(
            asyncio.get_running_loop(),
            replace(setup, **choices),
            notes,
        )
        node = Node(network, notes)
        self.nodes.append(node)
        await network.start()
        return node


def played(use: Callable[[Stage], Awaitable[None]]) -> None:
    """Run a play on uvloop, as the node does, and on asyncio's own loop; close every node afterwards."""
    for make_loop in (uvloop.new_event_loop, asyncio.new_event_loop):
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(_play(use))


async def _play(use: Callable[[Stage], Awaitable[None]]) -> None:
    stage = Stage()
    try:
        await use(stage)
    finally:
        for node in stage.nodes:
            await node.network.close()


class RawPeer:
    """A peer in the hands of a test: a real session and socket, and the test decides what else it sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> None:
        self.reader = reader
        self.writer = writer
        self.session = session
        self.events: list[Event] = []

    @classmethod
    async def connect(cls, node: Node, number: int, chain: ChainFacts = CHAIN) -> RawPeer:
        """Dial a node with an identity of one's own."""
        reader, writer = await asyncio.open_connection(HOST, node.network.port)
        setup = HandshakeSetup(Identity(secret(number)), chain, fresh_noise(), Offer())
        return cls(reader, writer, Session(setup, 0, is_initiator=True))

    async def read_until(self, kind: type[Event]) -> Event:
        """Carry bytes both ways until an event of this kind."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while True:
                self.flush()
                for event in self.events:
                    if isinstance(event, kind):
                        self.events.remove(event)
                        return event
                data = await self.reader.read(65_536)
                self.events += self.session.receive(data) if data else self.session.lost()

    async def come_in(self) -> None:
        """Shake hands and be welcomed."""
        await self.read_until(Proven)
        self.events += self.session.accept()
        await self.read_until(Opened)

    def flush(self) -> None:
        while data := self.session.data_to_send(RECORD_BYTES_MAX):
            self.writer.write(data)

    def write_piece(self, piece: bytes) -> None:
        """Seal and send what no session would."""
        channel = self.session._stage._channel  # type: ignore[union-attr]
        self.writer.write(encode_record(channel.seal(piece)))

    async def ended(self) -> None:
        """Wait until the node has hung up."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            with contextlib.suppress(ConnectionError):
                while await self.reader.read(65_536):
                    pass

    async def close(self) -> None:
        await hang_up(self.writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a socket whatever waits in it."""
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def pass_time(node: Node, milliseconds: int) -> None:
    """Move the clock of a node; the next of its ticks sees it."""
    node.network._epoch_ms += milliseconds
