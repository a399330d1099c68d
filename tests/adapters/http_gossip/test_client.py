"""Dialling over HTTP through networks that lose, change and invent requests and answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from coc.adapters.http_gossip.client import HttpDialer
from coc.adapters.http_gossip.poster import Poster
from coc.primitives.limits_http_gossip import HTTP_GOSSIP_ANSWER_MS_MAX, HTTP_GOSSIP_TRIES_MAX
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.http_gossip.envelope import Path
from tests.adapters.http_gossip.middlemen import Middleman
from tests.adapters.http_gossip.stage import RawLink, Served, served
from tests.adapters.wire.stage import HOST, until
from tests.wire.http_gossip.letters import ANNA, BERT, NOW_MS, peer_of

Change = Callable[[bytes, int, bytes], bytes | None]
"""From a path, how often it was asked, and the answer: what the proxy hands on; None to hang up."""


class Proxy(Middleman):
    """Passes requests to a server and answers back, changed."""

    def __init__(self, stage: Served, change: Change) -> None:
        super().__init__()
        self.stage = stage
        self.change = change
        self.asked: list[bytes] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await self.pass_on(reader, writer)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        path = head.split(b" ")[1]
        self.asked.append(path)
        behind = await self.stage.client()
        status, answer = await behind.post(path, body)
        if not status:
            raise ConnectionError
        changed = self.change(path, self.asked.count(path), answer)
        if changed is None:
            raise ConnectionError
        writer.write(b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n%b" % (status, len(changed), changed))


async def linked(stage: Served, address: PeerAddress) -> tuple[RawLink, RawLink]:
    """The two ends of a connection."""
    mine = RawLink(stage.dialled, 1)
    await stage.dialer.connect(address, lambda: mine)
    return mine, stage.owner.links[-1]


def test_a_dialled_link_knows_who_answers_and_carries_both_ways() -> None:  # HTTP-6, HTTP-10
    async def use(stage: Served) -> None:
        mine, theirs = await linked(stage, stage.address)
        assert mine.claimed == peer_of(BERT)
        assert theirs.claimed == peer_of(ANNA)
        mine.write(b"hello")
        theirs.write(b"hello too")
        await until(lambda: theirs.came == b"hello" and mine.came == b"hello too")
        mine.end()
        await until(lambda: theirs.has_eof and mine.is_lost and theirs.is_lost)

    served(use)


@pytest.mark.parametrize("path", [Path.SEND, Path.RECEIVE])
def test_a_lost_answer_is_asked_for_again_and_nothing_is_lost_or_doubled(
    path: Path,
) -> None:  # HTTP-8, HTTP-9
    def lose_the_first(asked: bytes, count: int, answer: bytes) -> bytes | None:
        return None if asked == path.value and count == 1 else answer

    async def use(stage: Served) -> None:
        async with Proxy(stage, lose_the_first) as address:
            mine, theirs = await linked(stage, address)
            mine.write(b"one")
            theirs.write(b"two")
            await until(lambda: theirs.came == b"one" and mine.came == b"two")
            mine.write(b" three")
            theirs.write(b" four")
            await until(lambda: theirs.came == b"one three" and mine.came == b"two four")
            assert stage.owner.blamed == []

    served(use)


def test_a_way_that_stays_broken_is_given_up_after_some_tries() -> None:  # HTTP-9
    def lose_all(asked: bytes, _: int, answer: bytes) -> bytes | None:
        return None if asked == Path.SEND.value else answer

    async def use(stage: Served) -> None:
        proxy = Proxy(stage, lose_all)
        async with proxy as address:
            mine, theirs = await linked(stage, address)
            mine.write(b"one")
            await until(lambda: mine.is_lost)
            assert proxy.asked.count(Path.SEND.value) == HTTP_GOSSIP_TRIES_MAX
            assert theirs.came == b"one"

    served(use)


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer[:-1] + bytes((answer[-1] ^ 1,)),
        lambda answer: b"<html>please log in</html>",
        lambda answer: b"",
    ],
    ids=["a byte changed", "a page of the proxy", "nothing"],
)
def test_an_answer_that_a_proxy_made_is_a_lost_one_and_nobodys_fault(
    change: Callable[[bytes], bytes],
) -> None:  # HTTP-10
    def change_the_first(asked: bytes, count: int, answer: bytes) -> bytes:
        return change(answer) if asked == Path.RECEIVE.value and count == 1 else answer

    async def use(stage: Served) -> None:
        async with Proxy(stage, change_the_first) as address:
            mine, theirs = await linked(stage, address)
            theirs.write(b"what was said")
            await until(lambda: mine.came == b"what was said")
            assert not mine.is_lost

    served(use)


def test_an_answer_to_another_request_is_not_taken() -> None:  # HTTP-10
    kept: list[bytes] = []

    def repeat(asked: bytes, count: int, answer: bytes) -> bytes:
        if asked != Path.RECEIVE.value:
            return answer
        kept.append(answer)
        return kept[0] if count == 2 else answer

    async def use(stage: Served) -> None:
        kept.clear()
        async with Proxy(stage, repeat) as address:
            mine, theirs = await linked(stage, address)
            theirs.write(b"one")
            await until(lambda: mine.came == b"one")
            theirs.write(b" two")
            await until(lambda: mine.came == b"one two")

    served(use)


def test_a_clock_that_is_wrong_is_told_and_no_session_comes_of_it() -> None:  # HTTP-4
    async def use(stage: Served) -> None:
        wrong = HttpDialer(asyncio.get_running_loop(), ANNA, lambda: NOW_MS + 3_600_000)
        with pytest.raises(OSError, match="set the clocks"):
            await wrong.connect(stage.address, lambda: RawLink(stage.dialled, 1))

    served(use)


def test_nobody_there_and_somebody_who_never_answers_are_failures() -> None:  # HTTP-9
    async def use(stage: Served) -> None:
        with socket.create_server((HOST, 0)) as silent:
            address = PeerAddress(HOST, silent.getsockname()[1], Scheme.HTTP)
            with pytest.raises(TimeoutError):
                await Poster(address).post(Path.OPEN, b"", HTTP_GOSSIP_ANSWER_MS_MAX / 1_000_000)
        with pytest.raises(OSError, match=r"."):
            await stage.dialer.connect(address, lambda: RawLink(stage.dialled, 1))

    served(use)
