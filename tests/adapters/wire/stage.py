"""Networks on loopback sockets with real Noise, and routers that note what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvloop

from coc.adapters.wire.network import Network, NetworkSetup
from coc.primitives.secp256k1 import Secret, secret_of
from coc.primitives.types import Hash32, PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.identity import ChainFacts, Identity, PeerFacts
from coc.wire.kinds import Kind
from coc.wire.peer_book.rules import PersistentPeer

WAIT_SECONDS_MAX = 30.0
"""What a test waits for comes in milliseconds; only a defect lets it wait this long."""
CHAIN = ChainFacts(Hash32(b"g" * 32), Hash32(b"f" * 32))
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
            replace(setup, **choices),  # type: ignore[arg-type]
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
