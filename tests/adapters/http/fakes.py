"""A loop, a transport and a pool of threads that do nothing on their own, and a server over them."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Transport
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any, cast

from coc.adapters.http.connection import Connection
from coc.adapters.http.containment import contain_everything
from coc.adapters.http.pages import Page
from coc.adapters.http.policy import AccessRules
from coc.adapters.http.server import HttpPorts, HttpServer, Upgrade
from coc.rpc.ports import Outcome
from tests.rpc.fakes import Node


class ManualLoop:
    """Callbacks wait until a test runs them; time stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.soon: list[Callable[[], object]] = []
        self.later: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[..., object], *args: Any) -> None:
        self.soon.append(lambda: callback(*args))

    call_soon_threadsafe = call_soon

    def call_later(self, delay: float, callback: Callable[[], object]) -> None:
        self.later.append((delay, callback))

    def run(self) -> None:
        """Run what waits, and what that adds."""
        while self.soon:
            self.soon.pop(0)()


class ManualExecutor(Executor):
    """Holds what is submitted until a test lets it run."""

    def __init__(self) -> None:
        self.held: list[Callable[[], object]] = []
        self.stopped = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.stopped:
            raise RuntimeError("cannot schedule new futures after shutdown")
        self.held.append(lambda: fn(*args, **kwargs))
        return Future()

    def run(self, count: int = 1_000_000) -> None:
        """Do the oldest jobs."""
        for _ in range(min(count, len(self.held))):
            self.held.pop(0)()


class MemoryTransport:
    """Keeps what is written, and how the connection stands."""

    def __init__(self) -> None:
        self.written = b""
        self.writes = 0
        self.closed = False
        self.aborted = False
        self.ended = False
        self.reading = True

    def write(self, data: bytes) -> None:
        assert not self.closed, "nothing may be written after close"
        self.written += data
        self.writes += 1

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def take(self) -> bytes:
        """What was written since the last time."""
        written, self.written = self.written, b""
        return written


class Client:
    """One connection as its client sees it."""

    def __init__(self, server: HttpServer) -> None:
        self.transport = MemoryTransport()
        self.connection = Connection(server)
        self.connection.connection_made(cast("Transport", self.transport))

    def send(self, data: bytes) -> bytes:
        """Send bytes; what is answered at once."""
        self.connection.data_received(data)
        return self.transport.take()

    def is_closed(self) -> bool:
        return self.transport.closed

    def is_read_from(self) -> bool:
        return self.transport.reading

    def leave(self) -> None:
        self.connection.connection_lost(None)


class Bench:
    """A server over manual parts and the fake node."""

    def __init__(
        self,
        rules: AccessRules | None = None,
        pages: dict[bytes, Callable[[], Page]] | None = None,
        upgrades: dict[bytes, Upgrade] | None = None,
    ) -> None:
        self.loop = ManualLoop()
        self.executor = ManualExecutor()
        self.node = Node(contain_everything)
        self.calls: list[list[bytes]] = []
        self.answer_later: list[Callable[[], None]] | None = None
        ports = HttpPorts(
            dispatcher=self.node.dispatcher,
            submit_many=self.submit_many,
            executor=self.executor,
            rules=rules or AccessRules(),
            front=("coc/test", 1337),
            pages=pages or {},
            upgrades=upgrades or {},
        )
        self.server = HttpServer(cast("AbstractEventLoop", self.loop), ports)

    def submit_many(
        self, raws: list[bytes], judged: Callable[[], None], done: Callable[[Sequence[Outcome]], None]
    ) -> None:
        self.calls.append(raws)
        if self.answer_later is None:
            self.node.submit_many(raws, judged, done)
        else:
            self.answer_later.append(lambda: self.node.submit_many(raws, judged, done))

    def client(self) -> Client:
        return Client(self.server)

    def settle(self) -> None:
        """Let everything that waits run to its end."""
        while self.loop.soon or self.executor.held:
            self.executor.run()
            self.loop.run()


def post(body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    """A POST of JSON to `/` as clients of a node send it."""
    lines = [
        b"POST / HTTP/1.1",
        b"Host: localhost:8545",
        b"Content-Type: application/json",
        b"Content-Length: %d" % (len(body) if length is None else length),
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def call(method: str, params: str = "[]", request_id: int = 1) -> bytes:
    """The JSON of one call."""
    return f'{{"jsonrpc":"2.0","id":{request_id},"method":"{method}","params":{params}}}'.encode()


POOLED = '[{"to":"0x' + "aa" * 20 + '"},"latest"]'
"""Parameters of an eth_call."""
