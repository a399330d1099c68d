"""The pool's rules said again in the plainest way: one list, everything recomputed from scratch each time."""

from __future__ import annotations

from dataclasses import dataclass, field

from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.inputs import Account, Head
from coc.primitives.types import Address
from tests.execution.mempool.scene import Tx

Rank = tuple[int, int, int]


@dataclass
class NaivePool:
    """What waits, in order of arrival, and the accounts of all senders."""

    bounds: PoolLimits
    head: Head
    accounts: dict[Address, Account]
    waiting: list[Tx] = field(default_factory=list)

    def queue(self, sender: Address) -> list[Tx]:
        return sorted((tx for tx in self.waiting if tx.sender == sender), key=lambda tx: tx.nonce)

    def ready_end(self, sender: Address) -> int:
        nonces = {tx.nonce for tx in self.queue(sender)}
        end = self.accounts[sender].nonce
        while end in nonces:
            end += 1
        return end

    def tip(self, tx: Tx) -> int:
        return min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - self.head.base_fee)

    def rank(self, tx: Tx) -> Rank:
        queue = self.queue(tx.sender)
        up_to = [other for other in queue if other.nonce <= tx.nonce]
        tip = min(self.tip(other) for other in up_to)
        arrival = -self.waiting.index(tx)
        if sum(other.max_cost for other in queue) > self.accounts[tx.sender].balance:
            return 0, tip, arrival
        return (2 if tx.nonce < self.ready_end(tx.sender) else 1), tip, arrival

    def is_over(self) -> bool:
        return (
            len(self.waiting) > self.bounds.transactions_max
            or sum(tx.size for tx in self.waiting) > self.bounds.bytes_max
        )

    def submit(self, tx: Tx, *, must_be_funded: bool) -> bool:
        """Whether the transaction was taken."""
        before = list(self.waiting)
        account = self.accounts[tx.sender]
        queue = self.queue(tx.sender)
        old = next((other for other in queue if other.nonce == tx.nonce), None)
        if tx in self.waiting or tx.nonce < account.nonce or tx.size > self.bounds.transaction_bytes_max:
            return False
        if old is not None and (
            tx.max_fee_per_gas * 10 < old.max_fee_per_gas * 11
            or tx.max_priority_fee_per_gas * 10 < old.max_priority_fee_per_gas * 11
            or tx.max_fee_per_gas <= old.max_fee_per_gas
            or tx.max_priority_fee_per_gas <= old.max_priority_fee_per_gas
        ):
            return False
        others = [other for other in queue if other is not old]
        if must_be_funded and sum(other.max_cost for other in others) + tx.max_cost > account.balance:
            return False
        if old is None and len(queue) >= self.bounds.sender_transactions_max:
            if tx.nonce > queue[-1].nonce:
                return False
            self.waiting.remove(queue[-1])
        if old is not None:
            self.waiting.remove(old)
        self.waiting.append(tx)
        while self.is_over():
            tails = [self.queue(sender)[-1] for sender in {other.sender for other in self.waiting}]
            worst = min(tails, key=self.rank)
            if worst is tx or (worst.sender != tx.sender and self.rank(worst) > self.rank(tx)):
                self.waiting = before
                return False
            self.waiting.remove(worst)
        return True

    def best(self) -> list[Tx]:
        """Hand out the best first runnable transaction, again and again."""
        order: list[Tx] = []
        while True:
            runnable = [tx for sender in self.accounts if (tx := self._next(sender, order)) is not None]
            if not runnable:
                return order
            order.append(min(runnable, key=lambda tx: (-self.tip(tx), self.waiting.index(tx))))

    def _next(self, sender: Address, order: list[Tx]) -> Tx | None:
        done = [tx for tx in order if tx.sender == sender]
        nonce = self.accounts[sender].nonce + len(done)
        funds = self.accounts[sender].balance - sum(tx.max_cost for tx in done)
        for tx in self.queue(sender):
            if tx.nonce == nonce and tx.max_cost <= funds and tx.max_fee_per_gas >= self.head.base_fee:
                return tx
        return None
