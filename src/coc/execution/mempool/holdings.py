"""What the pool holds: entries by hash, queues by sender, and the sums that limits are checked against.

Every change goes through `insert` and `remove`, which also write it down, so that the changes since a mark
can be taken back: an admission that fails half-way, or a batch whose journal record could not be written,
leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterable

from coc.execution.mempool.entry import Entry
from coc.execution.mempool.inputs import Account
from coc.execution.mempool.sender import SenderQueue
from coc.execution.mempool.tails import Tails
from coc.primitives.types import Address, Hash32


class Holdings:
    """The waiting transactions and their indexes."""

    def __init__(self, base_fee: int) -> None:
        self.by_hash: dict[Hash32, Entry] = {}
        self.senders: dict[Address, SenderQueue] = {}
        self.tails = Tails(self.senders, base_fee)
        self.bytes_total = 0
        self.journalled_bytes = 0
        self._authorities: dict[bytes, int] = {}
        self._changes: list[tuple[Entry, bool]] = []

    def queue_of(self, address: Address, account: Account) -> SenderQueue:
        """The sender's queue, or an empty one that joins the pool with its first transaction."""
        return self.senders.get(address) or SenderQueue(address, account)

    def has_authority(self, address: Address) -> bool:
        """True when a waiting transaction would set this account's code (EIP-7702)."""
        return address in self._authorities

    def insert(self, entry: Entry) -> None:
        """Add an entry to the queue it names."""
        self._attach(entry)
        self._changes.append((entry, True))

    def remove(self, entry: Entry) -> None:
        """Take out an entry that waits."""
        self._detach(entry)
        self._changes.append((entry, False))

    def leave_passed(self, queue: SenderQueue) -> list[Entry]:
        """Take out what the chain has passed, for good: nothing takes it back."""
        gone = queue.leave_passed()
        self._forget(queue, gone)
        return gone

    def mark(self) -> int:
        """A place in the record of changes, for `roll_back`."""
        return len(self._changes)

    def roll_back(self, mark: int) -> None:
        """Take back every change after `mark`, the last first."""
        while len(self._changes) > mark:
            entry, was_inserted = self._changes.pop()
            if was_inserted:
                self._detach(entry)
            else:
                self._attach(entry)

    def settle(self) -> None:
        """Forget the record of changes: they stay."""
        self._changes.clear()

    def _attach(self, entry: Entry) -> None:
        queue = entry.queue
        if not queue.nonces:
            self.senders[queue.address] = queue
        queue.insert(entry)
        self.by_hash[entry.hash] = entry
        self.bytes_total += entry.size
        if entry.is_journalled:
            self.journalled_bytes += entry.size
        for authority in entry.authorities:
            self._authorities[authority] = self._authorities.get(authority, 0) + 1
        self.tails.note(queue)

    def _detach(self, entry: Entry) -> None:
        entry.queue.remove(entry)
        self._forget(entry.queue, (entry,))

    def _forget(self, queue: SenderQueue, gone: Iterable[Entry]) -> None:
        """Strike out of the indexes what has left its queue."""
        if not queue.nonces:
            del self.senders[queue.address]
        for entry in gone:
            del self.by_hash[entry.hash]
            self.bytes_total -= entry.size
            if entry.is_journalled:
                self.journalled_bytes -= entry.size
            for authority in entry.authorities:
                count = self._authorities[authority] - 1
                if count:
                    self._authorities[authority] = count
                else:
                    del self._authorities[authority]
        self.tails.note(queue)
