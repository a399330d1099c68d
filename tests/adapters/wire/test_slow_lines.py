"""How little a vote waits for on a line that is full of transactions."""

from __future__ import annotations

import asyncio
import socket

from coc.adapters.wire.noise import fresh_noise
from coc.primitives.limits_wire import (
    WIRE_KERNEL_BYTES_MAX,
    WIRE_TRANSACTIONS_BYTES_MAX,
    WIRE_UNSENT_BYTES_MAX,
)
from coc.wire.events import Received
from coc.wire.handshake import HandshakeSetup
from coc.wire.identity import Identity, Offer
from coc.wire.kinds import CONSENSUS, TRANSACTIONS
from coc.wire.pieces import RECORD_BYTES_MAX
from coc.wire.session import Session
from tests.adapters.wire.stage import (
    CHAIN,
    HOST,
    WAIT_SECONDS_MAX,
    Node,
    RawPeer,
    Stage,
    peer_of,
    played,
    secret,
    until,
)

WINDOW_BYTES = 64 * 1024
"""What a slow peer's kernel takes before the peer reads; Linux doubles it."""
PAYLOAD_BYTES = 20_000
FRAMES = 3 * WIRE_TRANSACTIONS_BYTES_MAX // PAYLOAD_BYTES
TURNS = 50


async def slow_peer(node: Node, number: int) -> RawPeer:
    """A peer whose line takes little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
    sock.connect((HOST, node.network.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1)
    setup = HandshakeSetup(Identity(secret(number)), CHAIN, fresh_noise(), Offer())
    return RawPeer(reader, writer, Session(setup, 0, is_initiator=True))


def test_a_vote_waits_for_what_is_on_its_way_and_little_more() -> None:  # WIRE-8
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        raw = await slow_peer(anna, 2)
        await raw.come_in()
        await until(lambda: bool(anna.notes.ups))
        for _ in range(FRAMES):
            anna.network.send(peer_of(2), TRANSACTIONS, bytes(PAYLOAD_BYTES))
        (link,) = anna.network._links.values()
        await until(lambda: link._is_blocked)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert anna.network.send(peer_of(2), CONSENSUS, b"vote")

        waited_bytes = 0
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while (event := await raw.read_until(Received)) != Received(CONSENSUS, b"vote"):
                assert isinstance(event, Received)
                waited_bytes += len(event.payload)
        await raw.close()
        on_its_way = 2 * WINDOW_BYTES
        assert waited_bytes <= on_its_way + 2 * WIRE_UNSENT_BYTES_MAX + 2 * RECORD_BYTES_MAX
        assert waited_bytes < on_its_way + WIRE_KERNEL_BYTES_MAX

    played(use)
