"""The listening side: connections, the one timer, the counters, and a graceful stop."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Server, Transport
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import field
from typing import TypeAlias

from coc.adapters.http.carrier import Carrier
from coc.adapters.http.connection import Connection
from coc.adapters.http.pages import Page, Pages, front_page
from coc.adapters.http.policy import AccessRules, Policy
from coc.adapters.http.requests import HttpRequest
from coc.adapters.http.submissions import Submissions
from coc.primitives.frozen import frozen
from coc.primitives.limits_rpc import HTTP_CONNECTIONS_MAX, HTTP_SWEEP_INTERVAL_S
from coc.rpc.dispatch import Dispatcher
from coc.rpc.ports import SubmitMany

Upgrade: TypeAlias = Callable[[Transport, HttpRequest, bytes], None]
"""Takes a connection over: the transport, the request that asked, and bytes that came after it."""


@frozen
class HttpPorts:
    """What the server is given: who answers, where transactions go, threads, rules, and pages.

    `front` is the client version and chain id that `/` shows; `upgrades` maps a protocol name in lower case,
    such as `websocket`, to what takes it over.
    """

    dispatcher: Dispatcher
    submit_many: SubmitMany
    executor: Executor
    rules: AccessRules
    front: tuple[str, int]
    pages: Pages = field(default_factory=dict)
    upgrades: Mapping[bytes, Upgrade] = field(default_factory=dict)


class HttpServer:
    """Serves JSON-RPC and pages on one or more sockets of one loop."""

    def __init__(self, loop: AbstractEventLoop, ports: HttpPorts) -> None:
        """Nothing is bound before `listen`."""
        self._loop = loop
        self._executor = ports.executor
        self._front = ports.front
        self._connections: set[Connection] = set()
        self._listening: list[Server] = []
        self._stopping = False
        self.now = loop.time
        self.dispatcher = ports.dispatcher
        self.submissions = Submissions(loop.call_soon, ports.submit_many)
        self.carrier = Carrier(loop, ports.executor, self.submissions)
        self.policy = Policy(ports.rules)
        self.pages = ports.pages
        self.upgrades = ports.upgrades
        self.in_flight = 0
        self.requests = 0

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def listen(self, host: str, port: int) -> int:
        """Bind and begin to serve; the port that was bound, which `port` 0 leaves to the system.

        Raises:
            OSError: the address is in use or not ours.
        """
        server = await self._loop.create_server(lambda: Connection(self), host, port)
        self._listening.append(server)
        if len(self._listening) == 1:
            self._loop.call_later(HTTP_SWEEP_INTERVAL_S, self._sweep_again)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    def stop(self) -> None:
        """Take no more connections, and close each when what is under way for it has been answered."""
        self._stopping = True
        for server in self._listening:
            server.close()
        for connection in tuple(self._connections):
            connection.finish()

    def abort(self) -> None:
        """Drop the connections that are left."""
        for connection in tuple(self._connections):
            connection.drop()

    def page(self, path: bytes, *, wants_html: bool) -> Page | None:
        """What GET answers at a path."""
        make = self.pages.get(path)
        if make is not None:
            return make()
        return front_page(*self._front, wants_html) if path == b"/" else None

    def on_pool(self, run: Callable[[], bytes], then: Callable[[bytes], None]) -> None:
        """Run `run` on a thread and `then` with its result on the loop."""
        self._executor.submit(lambda: self._loop.call_soon_threadsafe(then, run()))

    def join(self, connection: Connection) -> bool:
        """Count a connection; False when there is no room for it."""
        if self._stopping or len(self._connections) >= HTTP_CONNECTIONS_MAX:
            return False
        self._connections.add(connection)
        return True

    def leave(self, connection: Connection, in_flight: int) -> None:
        """A connection is gone, and so are the calls that were under way for it."""
        self._connections.discard(connection)
        self.in_flight -= in_flight

    def sweep(self) -> None:
        """Drop every connection whose deadline has passed."""
        now = self.now()
        for connection in [entry for entry in self._connections if entry.deadline < now]:
            connection.expire()

    def _sweep_again(self) -> None:
        self.sweep()
        if not self._stopping or self._connections:
            self._loop.call_later(HTTP_SWEEP_INTERVAL_S, self._sweep_again)
