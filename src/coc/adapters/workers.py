"""Threads for native work whose results come back on the loop, and a count of what is under way.

Blocks have threads of their own: however many slow calls clients make, the next block does not wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

WORK_THREADS: Final = 5
"""One each for a block, a flush, new transactions, verdicts on waiting ones, and the journal's fsync.

A validator has as many again for consensus alone: a block, the write-ahead log, the signer, and two spare.
"""


class Workers:
    """Runs work on threads and hands what came of it to the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: int = WORK_THREADS) -> None:
        """Threads begin with the first work; with one, work is done in the order it was given."""
        self._loop = loop
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="node")
        self._under_way = 0
        self.is_draining = False
        """Whether somebody waits for the end of all work: what can be done later should not begin."""
        self._idle = asyncio.Event()
        self._idle.set()

    def run(self, work: Callable[[], T], then: Callable[[T | Exception], None]) -> None:
        """Run `work` on a thread, then `then` on the loop with its result or with what it raised."""

        def on_thread() -> None:
            try:
                result: T | Exception = work()
            except Exception as error:  # noqa: BLE001 - the edge: what failed is told on the loop's thread
                result = error
            self._loop.call_soon_threadsafe(self._over, result, then)

        self._executor.submit(on_thread)
        self._under_way += 1
        self._idle.clear()

    async def drain(self) -> None:
        """Wait until nothing is under way, nor anything that it led to."""
        self.is_draining = True
        try:
            await self._idle.wait()
        finally:
            self.is_draining = False

    def close(self) -> None:
        """End the threads, and with them what their last work knew; after `drain`, so that none is busy."""
        self._executor.shutdown(wait=True)

    def _over(self, result: T | Exception, then: Callable[[T | Exception], None]) -> None:
        try:
            then(result)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
