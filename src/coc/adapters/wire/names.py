"""Names that stand for many nodes: each address of a configured name is worth a dial. WIRE-38.

A dial to a name takes whichever address answers first, so a name alone would lead to one of its nodes. Here
names are resolved now and then, and what they stand for is told to the peer book, which dials what fits.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable

from coc.adapters.log_lines import LOGGER
from coc.primitives.limits_wire import DIAL_MS_MAX, NAME_ADDRESSES_MAX, NAME_RESOLVED_MS
from coc.wire.addresses import PeerAddress, Scheme, canonical_host, is_usable, packed
from coc.wire.peer_book.rules import PersistentPeer


class Names:
    """Configured names, and when to look at them again."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        persistent: Iterable[PersistentPeer],
        found: Callable[[PeerAddress], None],
    ) -> None:
        """A name with an identity stands for one node, and is left to whoever dials it."""
        self._loop = loop
        self._names = tuple(
            each.address
            for each in persistent
            if each.peer is None and each.address.scheme is Scheme.TCP and packed(each.address.host) is None
        )
        self._found = found
        self._due_ms = 0
        self._task: asyncio.Task[None] | None = None

    def tick(self, now_ms: int) -> None:
        """Look again, if it is time."""
        if self._names and now_ms >= self._due_ms and (self._task is None or self._task.done()):
            self._due_ms = now_ms + NAME_RESOLVED_MS
            self._task = self._loop.create_task(self._resolve())

    async def close(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _resolve(self) -> None:
        for name in self._names:
            try:
                async with asyncio.timeout(DIAL_MS_MAX / 1000):
                    infos = await self._loop.getaddrinfo(name.host, name.port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                LOGGER.debug(
                    "a name does not resolve", extra={"fields": {"name": name.host, "why": str(error)}}
                )
                continue
            hosts = dict.fromkeys(canonical_host(str(info[4][0])) for info in infos)
            usable = [host for host in hosts if is_usable(host)]
            if len(usable) > 1:  # one alone is what the dial to the name leads to
                for host in usable[:NAME_ADDRESSES_MAX]:
                    self._found(PeerAddress(host, name.port))
