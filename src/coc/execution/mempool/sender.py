"""The waiting transactions of one sender, by nonce.

Kept up to date with every change: the sum of their full costs, the end of the *ready* run (consecutive nonces
from the account's own), and for each transaction the lowest caps up to it (its floors), since a transaction
is worth no more than what must run before it. Appending at the tail, the usual case, costs O(1); floors after
a change in the middle are recomputed only as far as they differ.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from coc.execution.mempool.entry import UNSET_FLOOR, Entry
from coc.execution.mempool.inputs import Account
from coc.primitives.types import UINT256_MAX, Address


@dataclass(slots=True, eq=False)
class SenderQueue:
    """All that waits of one sender."""

    address: Address
    account: Account
    entries: dict[int, Entry] = field(default_factory=dict)
    nonces: list[int] = field(default_factory=list)
    """The keys of `entries`, ascending."""
    cost_total: int = 0
    """Wei that all of them may cost."""
    ready_end: int = field(init=False)
    """The first nonce, from the account's own, that is not waiting here: the account's pending nonce."""

    def __post_init__(self) -> None:
        self.ready_end = self.account.nonce

    @property
    def tail(self) -> Entry:
        """The transaction with the highest nonce; the queue must not be empty."""
        return self.entries[self.nonces[-1]]

    @property
    def ready_count(self) -> int:
        """How many run one after the other from the account's nonce."""
        return self.ready_end - self.account.nonce

    @property
    def is_underfunded(self) -> bool:
        """True when the balance no longer covers all that waits."""
        return self.cost_total > self.account.balance

    def insert(self, entry: Entry) -> None:
        """Add a transaction whose nonce is not waiting yet."""
        nonce = entry.nonce
        nonces = self.nonces
        if not nonces or nonce > nonces[-1]:
            entry.fee_floor, entry.tip_floor = entry.fee_cap, entry.tip_cap
            if nonces:
                before = self.entries[nonces[-1]]
                entry.fee_floor = min(before.fee_floor, entry.fee_floor)
                entry.tip_floor = min(before.tip_floor, entry.tip_floor)
            nonces.append(nonce)
            self.entries[nonce] = entry
        else:
            entry.fee_floor = entry.tip_floor = UNSET_FLOOR
            index = bisect_left(nonces, nonce)
            nonces.insert(index, nonce)
            self.entries[nonce] = entry
            self._refloor(index)
        self.cost_total += entry.cost
        if nonce == self.ready_end:
            self._extend_ready()

    def remove(self, entry: Entry) -> None:
        """Take out one waiting transaction; later ones stay and wait for the gap to close."""
        nonce = entry.nonce
        del self.entries[nonce]
        self.cost_total -= entry.cost
        if self.nonces[-1] == nonce:
            self.nonces.pop()
        else:
            index = bisect_left(self.nonces, nonce)
            del self.nonces[index]
            self._refloor(index)
        if self.account.nonce <= nonce < self.ready_end:
            self.ready_end = nonce

    def leave_passed(self) -> list[Entry]:
        """Take out all that waits with a lower nonce than the account's, the front of the line, in one go."""
        count = bisect_left(self.nonces, self.account.nonce)
        gone = [self.entries.pop(passed) for passed in self.nonces[:count]]
        del self.nonces[:count]
        self.cost_total -= sum(entry.cost for entry in gone)
        if gone:
            self._refloor(0)
        return gone

    def set_account(self, account: Account) -> None:
        """Stand on a new account state; whatever waits below its nonce must be removed next."""
        keeps_run = self.account.nonce <= account.nonce <= self.ready_end
        self.account = account
        if not keeps_run:
            self.ready_end = account.nonce
            self._extend_ready()

    def ready(self) -> Iterator[Entry]:
        """The ready transactions in nonce order."""
        return (self.entries[nonce] for nonce in range(self.account.nonce, self.ready_end))

    def _extend_ready(self) -> None:
        end = self.ready_end
        while end in self.entries:
            end += 1
        self.ready_end = end

    def _refloor(self, start: int) -> None:
        """Work out floors from index `start` on, up to the first that is right already."""
        fee = tip = UINT256_MAX
        if start:
            before = self.entries[self.nonces[start - 1]]
            fee, tip = before.fee_floor, before.tip_floor
        for nonce in islice(self.nonces, start, None):
            entry = self.entries[nonce]
            fee = min(fee, entry.fee_cap)
            tip = min(tip, entry.tip_cap)
            if entry.fee_floor == fee and entry.tip_floor == tip:
                return
            entry.fee_floor = fee
            entry.tip_floor = tip
