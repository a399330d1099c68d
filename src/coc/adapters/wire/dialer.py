"""Making connections: one task a dial, none longer than `DIAL_MS_MAX`, whatever the resolver does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from coc.adapters.wire.link import Link
from coc.primitives.limits_wire import DIAL_MS_MAX
from coc.wire.addresses import PeerAddress, Scheme


class HttpWay(Protocol):
    """How to reach what is not reached by TCP."""

    async def connect(self, address: PeerAddress, make_link: Callable[[], Link]) -> None:
        """Connect a link; OSError where that comes to nothing."""
        ...


class Dialer:
    """Connects links; what comes to nothing is told by its number."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        http: HttpWay,
        make_link: Callable[[int], Link],
        failed: Callable[[int, str], None],
    ) -> None:
        """Nothing is dialled yet."""
        self._loop = loop
        self._http = http
        self._make_link = make_link
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def dial(self, number: int, address: PeerAddress) -> None:
        """Connect, or tell that it failed."""
        task = self._loop.create_task(self._connect(number, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self, number: int, address: PeerAddress) -> None:
        try:
            async with asyncio.timeout(DIAL_MS_MAX / 1000):
                if address.scheme is Scheme.TCP:
                    await self._loop.create_connection(
                        lambda: self._make_link(number), address.host, address.port
                    )
                else:
                    await self._http.connect(address, lambda: self._make_link(number))
        except (OSError, UnicodeError) as error:  # a host name that is none is a UnicodeError
            self._failed(number, str(error) or "no answer in time")
