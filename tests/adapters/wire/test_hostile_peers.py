"""What strangers and peers can do to a node on a real socket, and what it costs them."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from coc.adapters.wire.listening import WireListenFailed, bound
from coc.adapters.wire.network import Network
from coc.adapters.wire.network_setup import NetworkSetup
from coc.primitives.limits_wire import (
    BAN_MS_MIN,
    PEERS_INBOUND_PER_IP_MAX,
    WIRE_FRAME_BYTES_MAX,
    WIRE_HANDSHAKE_MS_MAX,
    WIRE_IDLE_MS_MAX,
    WIRE_LINGER_MS,
    WIRE_STALL_MS_MAX,
    WIRE_TICK_MS,
)
from coc.wire.control import encode_addresses
from coc.wire.errors import Reason
from coc.wire.events import Closed, Proven
from coc.wire.frames import encode_frame
from coc.wire.kinds import ADDRESSES, BLOCK, CONSENSUS, MessageClass
from coc.wire.pieces import encode_piece
from tests.adapters.wire.stage import (
    CHAIN,
    HOST,
    OTHER_CHAIN,
    Notes,
    RawPeer,
    Stage,
    hang_up,
    pass_time,
    peer_of,
    played,
    secret,
    until,
)


async def parting(raw: RawPeer) -> Closed:
    """The reason that the node gives."""
    return cast("Closed", await raw.read_until(Closed))


@pytest.mark.parametrize(
    "words",
    [
        b"GET / HTTP/1.1\r\nHost: node\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"\0\0" + bytes(100),
        b"\0\x20" + bytes(32),
        b"\xff" * 1_000,
    ],
)
def test_another_protocol_is_hung_up_on_without_a_word(words: bytes) -> None:  # WIRE-7
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        reader, writer = await asyncio.open_connection(HOST, anna.network.port)
        writer.write(words + bytes(2_000))
        heard = await reader.read(65_536)
        while data := await reader.read(65_536):
            heard += data
        await hang_up(writer)
        await until(lambda: not anna.network._links)

        assert len(heard) in (0, 2 + 32 + 48 + len(anna.network._handshakes.hellos[1]) + 16)  # type: ignore[index]
        assert anna.notes.ups == []

    played(use)


def test_a_stranger_that_says_nothing_keeps_its_place_only_so_long() -> None:  # WIRE-13
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        reader, writer = await asyncio.open_connection(HOST, anna.network.port)
        await until(lambda: len(anna.network._links) == 1)
        writer.write(b"\0")
        pass_time(anna, WIRE_HANDSHAKE_MS_MAX - 2 * WIRE_TICK_MS)
        anna.network._tick()
        assert len(anna.network._links) == 1
        pass_time(anna, 3 * WIRE_TICK_MS)
        await until(lambda: not anna.network._peers and reader.at_eof())
        pass_time(anna, WIRE_LINGER_MS)
        await until(lambda: not anna.network._links)
        await hang_up(writer)

    played(use)


def test_a_node_of_another_chain_reads_why_it_is_refused() -> None:  # WIRE-7
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        raw = await RawPeer.connect(anna, 2, OTHER_CHAIN)
        assert (await parting(raw)).reason is Reason.OTHER_GENESIS
        raw.flush()
        await raw.ended()
        await raw.close()

    played(use)


def test_a_node_that_shows_our_own_identity_is_refused() -> None:  # WIRE-7
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        raw = await RawPeer.connect(anna, 1)
        assert (await parting(raw)).reason is Reason.OWN_IDENTITY
        raw.flush()
        await raw.ended()
        await raw.close()

    played(use)


def test_a_peer_that_breaks_the_protocol_is_told_and_banned() -> None:  # WIRE-17, WIRE-28
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        raw = await RawPeer.connect(anna, 2)
        await raw.come_in()
        await anna.notes.until(lambda: anna.notes.ups == [peer_of(2)])
        raw.write_piece(b"\x07no such class")
        closed = await parting(raw)
        assert closed == Closed(Reason.PROTOCOL_BROKEN, is_peers_word=True)
        assert anna.notes.downs == [peer_of(2)]
        await raw.close()

        again = await RawPeer.connect(anna, 2)
        await again.read_until(Proven)
        again.events += again.session.accept()
        assert (await parting(again)).reason is Reason.BANNED
        await again.close()
        pass_time(anna, BAN_MS_MIN)
        forgiven = await RawPeer.connect(anna, 2)
        await forgiven.come_in()
        await forgiven.close()

    played(use)


def test_addresses_that_do_not_read_are_a_broken_protocol() -> None:  # WIRE-27
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        raw = await RawPeer.connect(anna, 2)
        await raw.come_in()
        raw.session.send(ADDRESSES, b"\xc1\x80")
        assert (await parting(raw)).reason is Reason.BANNED
        await raw.close()
        unasked = await RawPeer.connect(anna, 3)
        await unasked.come_in()
        for _ in range(6):  # five would do, did points not fade
            unasked.session.send(ADDRESSES, encode_addresses([]))
        assert (await parting(unasked)).reason is Reason.BANNED
        await unasked.close()

    played(use)


def test_a_peer_that_never_reads_is_refused_blocks_and_dropped_in_the_end() -> None:  # WIRE-10, WIRE-15
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        raw = await RawPeer.connect(anna, 2)
        await raw.come_in()
        raw.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await anna.notes.until(lambda: anna.notes.ups == [peer_of(2)])
        block = bytes(WIRE_FRAME_BYTES_MAX)
        taken = 0
        while anna.network.send(peer_of(2), BLOCK, block):
            taken += 1
            await asyncio.sleep(0)
        assert 2 <= taken <= 4  # what the two kernels hold beside our queue

        (link,) = anna.network._links.values()
        pass_time(anna, WIRE_STALL_MS_MAX + WIRE_TICK_MS)
        anna.network._tick()
        assert anna.notes.downs == [peer_of(2)]
        assert link.session is not None
        assert link.session.waiting_bytes == 0
        pass_time(anna, WIRE_LINGER_MS)
        await until(lambda: not anna.network._links)
        assert anna.network._traffic.waiting_bytes == 0
        await raw.close()

    played(use)


def test_a_peer_that_vanished_is_noticed() -> None:  # WIRE-14
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        raw = await RawPeer.connect(anna, 2)
        await raw.come_in()
        await anna.notes.until(lambda: anna.notes.ups == [peer_of(2)])
        pass_time(anna, WIRE_IDLE_MS_MAX + 1)
        await anna.notes.until(lambda: anna.notes.downs == [peer_of(2)])
        assert (await parting(raw)).reason is Reason.SILENT
        await raw.close()

    played(use)


def test_messages_behind_the_one_that_got_a_peer_banned_reach_nobody() -> None:
    class Strict(Notes):
        network: Network

        def on_message(self, peer: object, kind: object, payload: bytes) -> None:
            self.messages.append((peer_of(2), str(kind), payload))
            self.network.misbehaved(peer_of(2), "it lied", 100)
            self.changed.set()

    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        strict = Strict()
        strict.network = anna.network
        anna.network._router = anna.notes = strict
        raw = await RawPeer.connect(anna, 2)
        await raw.come_in()
        await anna.notes.until(lambda: anna.notes.ups == [peer_of(2)])
        for number in range(5):
            piece = encode_piece(
                MessageClass.CONSENSUS, encode_frame(CONSENSUS.number, bytes((number,))), is_last=True
            )
            raw.write_piece(piece)
        assert (await parting(raw)).reason is Reason.BANNED
        await raw.close()

        assert [payload for _, _, payload in strict.messages] == [b"\0"]

    played(use)


def test_one_address_gets_few_connections_where_others_can_reach_us() -> None:  # WIRE-26
    async def use(stage: Stage) -> None:
        anna = await stage.node(1, listen=("0.0.0.0", 0))
        raws = [await RawPeer.connect(anna, number) for number in range(2, 2 + PEERS_INBOUND_PER_IP_MAX)]
        for raw in raws:
            await raw.come_in()
        late = await RawPeer.connect(anna, 99)
        assert (await parting(late)).reason is Reason.LOST
        for raw in (*raws, late):
            await raw.close()

    played(use)


def test_a_node_that_stops_says_goodbye_to_all_and_waits_for_none_that_stays() -> None:  # WIRE-17
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        polite, silent = await RawPeer.connect(anna, 2), await RawPeer.connect(anna, 3)
        await polite.come_in()
        await silent.come_in()
        silent.reader._transport.pause_reading()  # type: ignore[attr-defined]
        closing = asyncio.ensure_future(anna.network.close())
        assert await parting(polite) == Closed(Reason.SHUTTING_DOWN, is_peers_word=True)
        await polite.close()
        await closing
        assert not anna.network._links
        await silent.close()
        with pytest.raises(ConnectionError):
            await RawPeer.connect(anna, 4)

    played(use)


def test_a_port_in_use_is_named_with_its_cure() -> None:
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        setup = NetworkSetup(secret(2), CHAIN, (HOST, anna.network.port))
        with pytest.raises(WireListenFailed, match="another port"):
            Network(asyncio.get_running_loop(), setup, Notes())

    played(use)
    with pytest.raises(WireListenFailed, match="COC-WIRE-LISTEN"):
        bound("203.0.113.1", 1)
    with pytest.raises(WireListenFailed):
        bound("no such name." * 30, 1)
