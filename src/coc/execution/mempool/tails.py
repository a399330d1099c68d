"""Who must go first when the pool is full: the worst of all tails.

Only a sender's last transaction is ever evicted, so that nonce order never breaks. Tails are ranked by what
they are worth to a builder: first those of senders who can no longer pay for what waits, then those behind a
missing nonce, then by the lowest effective tip up to the tail; of equals the youngest goes.

The ranking is a heap that exists only while the pool is full. Its records are hints: a record is checked
against the pool when it surfaces, and every change of a queue adds a fresh one.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Final, TypeAlias

from coc.execution.mempool.entry import Entry, effective_tip
from coc.execution.mempool.sender import SenderQueue
from coc.primitives.types import Address

Rank: TypeAlias = tuple[int, int, int]
"""Class, effective tip in wei a gas, minus arrival: lower goes first."""

UNDERFUNDED: Final = 0
GAPPED: Final = 1
READY: Final = 2

_STALE_RECORDS_MAX: Final = 1_024
"""Outdated records beyond one a sender that the heap may hold before it is built anew."""


class Tails:
    """The eviction order over the tails of `senders`, a live view of the pool."""

    def __init__(self, senders: Mapping[Address, SenderQueue], base_fee: int) -> None:
        self._senders = senders
        self._base_fee = base_fee
        self._heap: list[tuple[int, int, int, Entry]] = []
        self._is_kept = False

    def reset(self, base_fee: int) -> None:
        """Forget the order: a new base fee or new balances may change every rank."""
        self._base_fee = base_fee
        self._heap = []
        self._is_kept = False

    def note(self, queue: SenderQueue) -> None:
        """Take note that `queue` changed."""
        if self._is_kept and queue.nonces:
            heapq.heappush(self._heap, self._record(queue))
            if len(self._heap) > 2 * len(self._senders) + _STALE_RECORDS_MAX:
                self._build()

    def worst(self) -> tuple[Rank, Entry] | None:
        """The tail that goes first, with its rank; `None` when nothing waits."""
        if not self._is_kept:
            self._build()
        heap = self._heap
        while heap:
            record = heap[0]
            entry = record[3]
            queue = self._senders.get(entry.queue.address)
            if queue is not None and queue.tail is entry:
                current = self._record(queue)
                if current == record:
                    return record[:3], entry
                heapq.heapreplace(heap, current)
            else:
                heapq.heappop(heap)
        return None

    def rank_of(self, queue: SenderQueue, entry: Entry) -> Rank:
        """The rank of a transaction that waits in `queue`."""
        if queue.is_underfunded:
            standing = UNDERFUNDED
        else:
            standing = GAPPED if entry.nonce >= queue.ready_end else READY
        return standing, effective_tip(entry.fee_floor, entry.tip_floor, self._base_fee), -entry.arrival

    def _record(self, queue: SenderQueue) -> tuple[int, int, int, Entry]:
        tail = queue.tail
        return (*self.rank_of(queue, tail), tail)

    def _build(self) -> None:
        self._heap = [self._record(queue) for queue in self._senders.values()]
        heapq.heapify(self._heap)
        self._is_kept = True
