"""A server of HTTP gossip with an owner that notes what it is told, and clients in the hands of a test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httptools
import uvloop

from coc.adapters.http_gossip.client import HttpDialer
from coc.adapters.http_gossip.server import HttpGossipServer
from coc.adapters.wire.link import Link
from coc.adapters.wire.listening import bound, place_of
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.events import Event
from coc.wire.http_gossip.envelope import Direction, Letter, Note, Path, Pen, read_letter
from coc.wire.session import Session
from tests.adapters.wire.stage import HOST, WAIT_SECONDS_MAX
from tests.wire.http_gossip.letters import ANNA, BERT, GENESIS, NOW_MS

CHUNK_BYTES = 65_536


@dataclass
class Owner:
    """Takes links, or not, and notes who is blamed. Its links have no session: the bytes are looked at."""

    links: list[RawLink] = field(default_factory=list)
    blamed: list[tuple[str, int]] = field(default_factory=list)
    banned: set[str] = field(default_factory=set)
    has_room: bool = True
    clock_ms: int = 0

    def new_link(self) -> Link:
        link = RawLink(self)
        self.links.append(link)
        return link

    def is_host_banned(self, host: str) -> bool:
        return host in self.banned

    def blame_address(self, host: str, points: int) -> None:
        if points:
            self.blamed.append((host, points))

    def now_ms(self) -> int:
        return self.clock_ms

    def begin(self, link: Link) -> Session | None:
        raise AssertionError("a raw link asks nobody")

    def on_events(self, link: Link, events: list[Event]) -> None:
        raise AssertionError("a raw link tells nothing")

    def on_gone(self, link: Link) -> None:
        raise AssertionError("a raw link tells nothing")


class RawLink(Link):
    """A link that only notes: what came, and how it ended."""

    def __init__(self, owner: Owner, number: int = 0) -> None:
        super().__init__(owner, number)
        self.owner = owner
        self.transport: asyncio.Transport | None = None
        self.came = b""
        self.has_eof = False
        self.is_lost = False
        self.is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.host = str(transport.get_extra_info("peername")[0])
        if not self.owner.has_room:
            transport.abort()

    def write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def end(self) -> None:
        assert self.transport is not None
        self.transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self.came += data

    def eof_received(self) -> bool:
        self.has_eof = True
        return False

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True


@dataclass
class Served:
    """A server on a socket, and who uses it."""

    owner: Owner
    server: HttpGossipServer
    port: int
    wall: list[int]
    dialer: HttpDialer
    dialled: Owner
    clients: list[RawClient] = field(default_factory=list)

    @property
    def address(self) -> PeerAddress:
        return PeerAddress(HOST, self.port, Scheme.HTTP)

    async def client(self) -> RawClient:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        made = RawClient(reader, writer)
        self.clients.append(made)
        return made

    async def opened(self, pen: Pen = ANNA) -> tuple[RawClient, bytes]:
        """A client with a session of its own."""
        client = await self.client()
        answer = await client.call(Path.OPEN, Note(b"", 0, self.wall[0], 1), pen)
        return client, answer.note.session


class RawClient:
    """Writes requests that no honest node writes, too, and reads answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def call(self, path: Path, note: Note, pen: Pen = ANNA) -> Letter:
        """Post a letter; the answer's."""
        status, body = await self.post(path.value, pen.write(Direction.REQUEST, path, note))
        assert status == 200, body
        return read_letter(body, Direction.ANSWER, path, GENESIS)

    async def post(self, target: bytes, body: bytes) -> tuple[int, bytes]:
        self.ask(target, body)
        return await self.answer()

    def ask(self, target: bytes, body: bytes, method: bytes = b"POST") -> None:
        head = b"%b %b HTTP/1.1\r\nHost: node\r\nContent-Length: %d\r\n\r\n" % (method, target, len(body))
        self.writer.write(head + body)

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer; status 0 where the server hung up instead."""
        got = _Got()
        parser = httptools.HttpResponseParser(got)
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not got.is_whole:
                try:
                    data = await self.reader.read(CHUNK_BYTES)
                except ConnectionError:
                    data = b""
                if not data:
                    return 0, b""
                parser.feed_data(data)
        return parser.get_status_code(), got.body

    async def is_hung_up(self) -> bool:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            try:
                while await self.reader.read(CHUNK_BYTES):
                    pass
            except ConnectionError:
                pass
        return True


class _Got:
    def __init__(self) -> None:
        self.body = b""
        self.is_whole = False

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.is_whole = True


def served(use: Callable[[Served], Awaitable[None]]) -> None:
    """Run a play with a server, on uvloop and on asyncio's own loop."""
    for make_loop in (uvloop.new_event_loop, asyncio.new_event_loop):
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(_serve(use))


async def _serve(use: Callable[[Served], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    owner, wall = Owner(), [NOW_MS]
    server = HttpGossipServer(loop, owner, BERT, lambda: wall[0])
    listening: socket.socket = bound(HOST, 0)
    port = place_of(listening)[1]
    await server.start(listening)
    stage = Served(owner, server, port, wall, HttpDialer(loop, ANNA, lambda: wall[0]), Owner())
    try:
        await use(stage)
    finally:
        for client in stage.clients:
            client.writer.transport.abort()
        server.stop()
        server.close()
        await stage.dialer.close()
