"""What others may see of the pool between two steps: for `txpool_*`, pending nonces, filters and metrics.

*Pending* here is what `txpool_*` calls so: no earlier nonce is missing. Whether it can pay the next block's
price is the builder's question (`ordering.best`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from coc.execution.mempool.holdings import Holdings
from coc.execution.mempool.inputs import PooledTransaction
from coc.primitives.limits import MEMPOOL_ARRIVALS_MAX
from coc.primitives.types import Address, Hash32, Millis


class PoolView:
    """A read-only face of the waiting transactions, always as after the last step."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self._arrived: deque[Hash32] = deque(maxlen=MEMPOOL_ARRIVALS_MAX)
        self._arrivals_total = 0

    def note_arrival(self, hash_: Hash32) -> None:
        """Remember that a transaction was added, for `arrivals`."""
        self._arrived.append(hash_)
        self._arrivals_total += 1

    def get(self, transaction: bytes, /) -> PooledTransaction | None:
        """The waiting transaction with this hash."""
        entry = self._holdings.by_hash.get(Hash32(transaction))
        return None if entry is None else entry.transaction

    def next_nonce(self, address: bytes, /) -> int | None:
        """The nonce after the sender's pending transactions; `None` when nothing of it waits."""
        queue = self._holdings.senders.get(Address(address))
        return None if queue is None else queue.ready_end

    def counts(self) -> tuple[int, int]:
        """How many are pending, and how many wait behind a missing nonce."""
        pending = sum(queue.ready_count for queue in self._holdings.senders.values())
        return pending, len(self._holdings.by_hash) - pending

    def hashes(self) -> list[Hash32]:
        """All that wait, in the order in which they came."""
        return list(self._holdings.by_hash)

    def bytes_total(self) -> int:
        """Bytes of all encodings together."""
        return self._holdings.bytes_total

    def senders(self) -> list[Address]:
        """Everyone of whom something waits: the accounts whose changes the pool must be told of."""
        return list(self._holdings.senders)

    def pending_of(self, address: bytes, /) -> list[PooledTransaction]:
        """One sender's pending transactions by ascending nonce."""
        queue = self._holdings.senders.get(Address(address))
        return [] if queue is None else [entry.transaction for entry in queue.ready()]

    def queued_of(self, address: bytes, /) -> list[PooledTransaction]:
        """One sender's transactions behind a missing nonce, by ascending nonce."""
        queue = self._holdings.senders.get(Address(address))
        if queue is None:
            return []
        return [queue.entries[nonce].transaction for nonce in islice(queue.nonces, queue.ready_count, None)]

    def arrivals(self, cursor: int, /) -> tuple[int, Sequence[Hash32]]:
        """What was added since `cursor`, and the cursor after it; a cursor of -1 asks for no hashes.

        The last `MEMPOOL_ARRIVALS_MAX` are kept; an older cursor gets those.
        """
        total = self._arrivals_total
        if cursor < 0:
            return total, []
        missed = min(total - cursor, len(self._arrived))
        return total, list(islice(self._arrived, len(self._arrived) - missed, None)) if missed > 0 else []

    def oldest_ms(self) -> Millis | None:
        """When the transaction that has waited longest arrived."""
        return min((entry.arrived_ms for entry in self._holdings.by_hash.values()), default=None)
