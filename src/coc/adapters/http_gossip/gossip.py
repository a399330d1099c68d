"""Both ends of HTTP as the network holds them: it dials, and serves where it was told to."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

from coc.adapters.http_gossip.client import HttpDialer
from coc.adapters.http_gossip.server import HttpGossipServer, HttpOwner
from coc.adapters.wire.link import Link
from coc.adapters.wire.listening import place_of
from coc.primitives.secp256k1 import Secret
from coc.primitives.types import Hash32
from coc.wire.addresses import PeerAddress
from coc.wire.http_gossip.envelope import Pen


class HttpGossip:
    """Peers over HTTP."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        owner: HttpOwner,
        identity: tuple[Secret, Hash32],
        ways: tuple[socket.socket | None, tuple[str, int] | None],
    ) -> None:
        """The identity is the node's, on the chain with this genesis.

        Ways are in and out: a socket, without which it only dials, and a forward proxy to dial through.
        """
        pen = Pen(*identity)
        self._listening, proxy = ways
        self._server = HttpGossipServer(loop, owner, pen, wall_ms)
        self._dialer = HttpDialer(loop, pen, wall_ms, proxy)
        self.port = 0 if self._listening is None else place_of(self._listening)[1]

    async def start(self) -> None:
        """Serve."""
        if self._listening is not None:
            await self._server.start(self._listening)

    async def connect(self, address: PeerAddress, make_link: Callable[[], Link]) -> None:
        """Dial.

        Raises:
            OSError: it came to nothing.
        """
        await self._dialer.connect(address, make_link)

    def tick(self, now_ms: int) -> None:
        """Hang up on who is too slow."""
        self._server.tick(now_ms)

    def stop(self) -> None:
        """Let nobody new in; goodbyes can still be carried."""
        is_serving = self._server.stop()
        if not is_serving and self._listening is not None:
            self._listening.close()

    async def close(self) -> None:
        """Hang up."""
        self._server.close()
        await self._dialer.close()


def wall_ms() -> int:
    """The time of letters: it goes on while a machine sleeps, which the loop's does not."""
    return time.time_ns() // 1_000_000
