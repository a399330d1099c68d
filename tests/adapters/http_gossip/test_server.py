"""What strangers and peers can do to a server of HTTP gossip on a real socket, and what it costs them."""

from __future__ import annotations

import asyncio
import random

import pytest

from coc.adapters.http_gossip.connection import HttpConnection
from coc.primitives.limits_http_gossip import (
    HTTP_GOSSIP_CLOCK_MS_MAX,
    HTTP_GOSSIP_CONNECTIONS_MAX,
    HTTP_GOSSIP_CONNECTIONS_PER_IP_MAX,
    HTTP_GOSSIP_HOLD_MS,
    HTTP_GOSSIP_IDLE_MS_MAX,
    HTTP_GOSSIP_LETTER_BYTES_MAX,
    HTTP_GOSSIP_REQUEST_MS_MAX,
    HTTP_GOSSIP_STREAM_BYTES_MAX,
)
from coc.wire.http_gossip.envelope import Direction, Note, Path, Pen
from coc.wire.http_gossip.faults import Fault
from tests.adapters.http_gossip.stage import RawClient, Served, served
from tests.adapters.wire.stage import HOST, until
from tests.wire.http_gossip.letters import ANNA, BERT, NOW_MS, changed, opening, peer_of, request

STRANGE_HOST = "203.0.113.5"
FUZZ_SEED = 20_26
FUZZ_CONNECTIONS = 60


async def carried(client: RawClient, session: bytes, sequence: int, data: bytes) -> None:
    await client.call(Path.SEND, Note(session, sequence, NOW_MS, sequence, stream=data))


def test_a_stream_goes_both_ways_in_letters() -> None:  # HTTP-6, HTTP-8
    async def use(stage: Served) -> None:
        client, session = await stage.opened()
        (link,) = stage.owner.links
        assert link.claimed == peer_of(ANNA)
        assert link.host == HOST
        await carried(client, session, 1, b"one ")
        await carried(client, session, 2, b"two")
        assert link.came == b"one two"

        client.ask(Path.RECEIVE.value, request(Path.RECEIVE, Note(session, 1, NOW_MS, 1)))
        await until(lambda: not link.is_paused)
        link.write(b"three ")
        link.write(b"four")
        status, _ = await client.answer()
        assert (status, link.is_paused) == (200, True)
        again = await client.call(Path.RECEIVE, Note(session, 1, NOW_MS, 2))
        assert again.note.stream == b"three four"
        assert again.sender == peer_of(BERT)

    served(use)


def test_a_letter_carries_so_much_and_what_is_left_waits() -> None:  # HTTP-2
    async def use(stage: Served) -> None:
        client, session = await stage.opened()
        (link,) = stage.owner.links
        client.ask(Path.RECEIVE.value, request(Path.RECEIVE, Note(session, 1, NOW_MS, 1)))
        await until(lambda: not link.is_paused)
        written = 0
        while not link.is_paused:
            link.write(bytes(1_000))
            written += 1_000
        assert written <= HTTP_GOSSIP_STREAM_BYTES_MAX
        status, _ = await client.answer()
        again = await client.call(Path.RECEIVE, Note(session, 1, NOW_MS, 2))
        assert (status, len(again.note.stream)) == (200, written)

    served(use)


def test_a_question_is_held_for_its_time_and_then_answered_with_nothing() -> None:  # HTTP-8
    async def use(stage: Served) -> None:
        client, session = await stage.opened()
        client.ask(Path.RECEIVE.value, request(Path.RECEIVE, Note(session, 1, NOW_MS, 1)))
        await until(lambda: not stage.owner.links[0].is_paused)
        stage.server.tick(HTTP_GOSSIP_HOLD_MS - 1)
        assert not stage.owner.links[0].is_paused
        stage.server.tick(HTTP_GOSSIP_HOLD_MS)
        status, _ = await client.answer()
        assert status == 200
        assert stage.owner.links[0].is_paused

    served(use)


def test_who_loses_the_connection_asks_again_and_misses_nothing() -> None:  # HTTP-8
    async def use(stage: Served) -> None:
        client, session = await stage.opened()
        (link,) = stage.owner.links
        client.ask(Path.RECEIVE.value, request(Path.RECEIVE, Note(session, 1, NOW_MS, 1)))
        await until(lambda: not link.is_paused)
        other = await stage.client()
        other.ask(Path.RECEIVE.value, request(Path.RECEIVE, Note(session, 1, NOW_MS, 2)))
        assert (await client.answer())[0] == Fault.REPEATED.status
        other.writer.transport.abort()
        await until(lambda: link.is_paused)

        third = await stage.client()
        third.ask(Path.RECEIVE.value, request(Path.RECEIVE, Note(session, 1, NOW_MS, 3)))
        await until(lambda: not link.is_paused)
        link.write(b"all of it")
        link.end()
        assert (await third.answer())[0] == 200
        answer = await client.call(Path.RECEIVE, Note(session, 1, NOW_MS, 4))
        assert (answer.note.stream, answer.note.is_last) == (b"all of it", True)
        await client.call(Path.SEND, Note(session, 1, NOW_MS, 1, is_last=True))
        await until(lambda: link.is_lost)
        assert stage.owner.blamed == []

    served(use)


def test_a_session_ends_for_both_when_the_link_is_dropped() -> None:  # HTTP-8
    async def use(stage: Served) -> None:
        client, session = await stage.opened()
        (link,) = stage.owner.links
        client.ask(Path.RECEIVE.value, request(Path.RECEIVE, Note(session, 1, NOW_MS, 1)))
        await until(lambda: not link.is_paused)
        assert link.transport is not None
        link.transport.abort()
        status, _ = await client.answer()
        assert status == 200
        await until(lambda: link.is_lost)
        gone = await client.post(Path.SEND.value, request(Path.SEND, Note(session, 1, NOW_MS, 1)))
        assert gone[0] == Fault.NO_SESSION.status

    served(use)


@pytest.mark.parametrize(
    ("path", "letter", "fault"),
    [
        (Path.OPEN, b"no letter", Fault.MALFORMED),
        (Path.OPEN, changed(opening(), 9, bytes(65)), Fault.FORGED),
        (Path.OPEN, changed(opening(), 1, BERT.public_key), Fault.FORGED),
        (Path.OPEN, changed(opening(), 8, bytes(32)), Fault.FORGED),
        (Path.OPEN, request(Path.SEND, Note(b"", 0, NOW_MS, 1)), Fault.FORGED),
        (Path.OPEN, changed(opening(), 2, b"o" * 32), Fault.FOREIGN),
        (Path.OPEN, opening(time_ms=NOW_MS - HTTP_GOSSIP_CLOCK_MS_MAX - 1), Fault.UNTIMELY),
        (Path.SEND, request(Path.SEND, Note(b"u" * 16, 1, NOW_MS, 1)), Fault.NO_SESSION),
    ],
)
def test_what_is_refused_costs_the_address_and_the_named_sender_goes_on(
    path: Path, letter: bytes, fault: Fault
) -> None:  # HTTP-7
    async def use(stage: Served) -> None:
        honest, session = await stage.opened()
        forger = await stage.client()
        status, sentence = await forger.post(path.value, letter)
        assert (status, stage.owner.blamed) == (fault.status, [(HOST, fault.points)])
        assert sentence
        await carried(honest, session, 1, b"still here")
        assert stage.owner.links[0].came == b"still here"
        assert len(stage.owner.links) == 1

    served(use)


def test_a_forger_cannot_speak_in_a_session_that_it_overheard() -> None:  # HTTP-5, HTTP-7
    async def use(stage: Served) -> None:
        honest, session = await stage.opened()
        overheard = request(Path.SEND, Note(session, 1, NOW_MS, 1, stream=b"said"))
        assert (await honest.post(Path.SEND.value, overheard))[0] == 200
        forger = await stage.client()
        own = Pen(BERT._secret, BERT.genesis_hash)
        tried = [
            overheard,
            changed(overheard, 10, b"other"),
            own.write(Direction.REQUEST, Path.SEND, Note(session, 2, NOW_MS, 2, stream=b"other")),
        ]
        statuses = [(await forger.post(Path.SEND.value, letter))[0] for letter in tried]
        assert statuses == [Fault.REPEATED.status, Fault.FORGED.status, Fault.FORGED.status]
        await carried(honest, session, 2, b" and done")
        assert stage.owner.links[0].came == b"said and done"

    served(use)


def test_an_opening_without_room_is_told_so_and_blamed_on_nobody() -> None:  # HTTP-6
    async def use(stage: Served) -> None:
        stage.owner.has_room = False
        client = await stage.client()
        assert (await client.post(Path.OPEN.value, opening()))[0] == Fault.NO_ROOM.status
        await until(lambda: stage.owner.links[0].is_lost)
        assert stage.owner.blamed == []

    served(use)


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [(b"/", b"POST", 404), (b"/p2p/open", b"GET", 405), (b"/p2p", b"POST", 404)],
)
def test_other_paths_and_methods_are_not_served(target: bytes, method: bytes, status: int) -> None:  # HTTP-6
    async def use(stage: Served) -> None:
        client = await stage.client()
        client.ask(target, b"", method)
        assert (await client.answer())[0] == status

    served(use)


def test_a_body_too_long_is_refused_before_it_has_come() -> None:  # HTTP-2
    async def use(stage: Served) -> None:
        client = await stage.client()
        length = HTTP_GOSSIP_LETTER_BYTES_MAX + 1
        client.writer.write(b"POST /p2p/send HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length)
        assert (await client.answer())[0] == 413
        assert await client.is_hung_up()
        assert stage.owner.blamed == [(HOST, Fault.MALFORMED.points)]

    served(use)


def test_two_requests_at_a_time_end_the_connection_and_not_the_session() -> None:  # HTTP-11
    async def use(stage: Served) -> None:
        client, session = await stage.opened()
        for nonce in (1, 2):
            client.ask(Path.RECEIVE.value, request(Path.RECEIVE, Note(session, 1, NOW_MS, nonce)))
        assert (await client.answer())[0] == 400
        assert await client.is_hung_up()
        other = await stage.client()
        await carried(other, session, 1, b"goes on")
        assert stage.owner.links[0].came == b"goes on"

    served(use)


def test_a_request_that_drips_and_a_connection_that_idles_have_their_time() -> None:  # HTTP-11
    async def use(stage: Served) -> None:
        slow, idle = await stage.client(), await stage.client()
        await until(lambda: len(stage.server._connections) == 2)
        slow.writer.write(b"POST /p2p/open HT")
        await until(
            lambda: min(each.deadline_ms for each in stage.server._connections) < HTTP_GOSSIP_IDLE_MS_MAX
        )
        stage.owner.clock_ms = HTTP_GOSSIP_REQUEST_MS_MAX
        slow.writer.write(b"TP/1.1\r\n")
        stage.server.tick(HTTP_GOSSIP_REQUEST_MS_MAX)
        assert len(stage.server._connections) == 2
        stage.server.tick(HTTP_GOSSIP_REQUEST_MS_MAX + 1)
        assert (await slow.answer())[0] == 408
        assert await slow.is_hung_up()
        stage.server.tick(HTTP_GOSSIP_IDLE_MS_MAX + 1)
        assert await idle.is_hung_up()

    served(use)


def test_addresses_have_so_many_connections_and_banned_ones_without_session_one() -> None:  # HTTP-11
    async def use(stage: Served) -> None:
        server = stage.server

        def comes(host: str) -> bool:
            connection = HttpConnection(server)
            connection.host = host
            return server.join(connection)

        assert [comes(STRANGE_HOST) for _ in range(HTTP_GOSSIP_CONNECTIONS_PER_IP_MAX)].count(False) == 0
        assert not comes(STRANGE_HOST)
        stage.owner.banned.add("198.51.100.7")
        assert comes("198.51.100.7")
        assert not comes("198.51.100.7")
        while len(server._connections) < HTTP_GOSSIP_CONNECTIONS_MAX:
            assert comes(HOST)  # this machine counts towards no address
        assert not comes("192.0.2.1")
        for connection in tuple(server._connections):
            server.leave(connection)
        assert comes(STRANGE_HOST)

    served(use)


def test_whatever_bytes_come_the_server_goes_on() -> None:  # HTTP-2, HTTP-7
    dice = random.Random(FUZZ_SEED)
    letter = opening(nonce=1_000)
    whole = b"POST /p2p/open HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(letter), letter)

    def hostile() -> bytes:
        match dice.randrange(4):
            case 0:
                return dice.randbytes(dice.randrange(1, 2_000))
            case 1:
                spoilt = bytearray(whole)
                for _ in range(dice.randrange(1, 6)):
                    spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
                return bytes(spoilt)
            case 2:
                return whole[: dice.randrange(1, len(whole))]
            case _:
                body = dice.randbytes(dice.randrange(600))
                target = dice.choice(list(Path)).value
                return b"POST %b HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (target, len(body), body)

    async def use(stage: Served) -> None:
        honest, session = await stage.opened()
        for sequence in range(1, FUZZ_CONNECTIONS + 1):
            client = await stage.client()
            client.writer.write(hostile())
            if client.writer.can_write_eof():
                client.writer.write_eof()
            await asyncio.sleep(0)
            await carried(honest, session, sequence, b".")
        assert stage.owner.links[0].came == b"." * FUZZ_CONNECTIONS

    served(use)
