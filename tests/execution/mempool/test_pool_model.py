"""Any sequence of inputs leaves the pool equal to the naive one, and what was acknowledged accounted for."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.effects import (
    Acknowledge,
    Added,
    Dropped,
    Effect,
    Evicted,
    Included,
    JournalAppend,
    JournalRewrite,
    Replaced,
)
from coc.execution.mempool.inputs import Account, Origin, Standing, Verdict
from coc.primitives.types import Address
from tests.execution.mempool.naive_pool import NaivePool
from tests.execution.mempool.scene import Scene, Tx, head_at

BOUNDS = PoolLimits(
    transactions_max=8,
    bytes_max=1_000,
    sender_transactions_max=4,
    transaction_bytes_max=300,
    journal_slack_bytes_max=200,
)
SENDERS = [Address(bytes([number]) * 20) for number in range(1, 5)]
TRANSACTIONS = st.builds(
    Tx,
    sender=st.sampled_from(SENDERS),
    nonce=st.integers(0, 9),
    max_fee_per_gas=st.integers(1, 30),
    max_priority_fee_per_gas=st.integers(0, 12),
    gas_limit=st.just(1),
    value=st.integers(0, 20),
    size=st.sampled_from([90, 110, 290, 301]),
)
ACCOUNTS = st.builds(Account, nonce=st.integers(0, 6), balance=st.integers(20, 200))


class PoolAgainstModel(RuleBasedStateMachine):
    """Drives both pools with the same inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene(BOUNDS)
        self.scene.accounts = {sender: Account(0, 120) for sender in SENDERS}
        self.model = NaivePool(BOUNDS, self.scene.pool.head, self.scene.accounts)
        self.acknowledged: set[bytes] = set()
        self.departed: set[bytes] = set()
        self.journal: list[bytes] = []
        self.seen: list[Tx] = []

    def perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case JournalAppend(raws):
                    self.journal += raws
                case JournalRewrite(raws):
                    self.journal = list(raws)
                case Acknowledge(hash_):
                    assert b"raw" + hash_ in self.journal
                    self.acknowledged.add(hash_)
                case Added(transaction):
                    self.departed.discard(transaction.hash)
                case Evicted(hash_) | Dropped(hash_) | Replaced(hash_):
                    self.departed.add(hash_)
                case Included(hashes):
                    self.departed.update(hashes)
                case _:
                    pass

    @rule(
        txs=st.lists(TRANSACTIONS, min_size=1, max_size=3),
        origin=st.sampled_from([Origin.LOCAL, Origin.PEER]),
    )
    def transactions_arrive(self, txs: list[Tx], origin: Origin) -> None:
        for tx in txs:
            self.model.submit(tx, must_be_funded=True)
        self.seen += txs
        self.perform(self.scene.submit(*txs, origin=origin))

    @rule(tx=TRANSACTIONS)
    def the_journal_brings_a_transaction_back(self, tx: Tx) -> None:
        self.model.submit(tx, must_be_funded=False)
        self.seen.append(tx)
        self.journal.append(tx.raw)
        self.perform(self.scene.submit(tx, origin=Origin.JOURNAL))

    @rule(txs=st.lists(TRANSACTIONS, min_size=1, max_size=4))
    def the_journal_cannot_be_written(self, txs: list[Tx]) -> None:
        if any(isinstance(effect, JournalAppend) for effect in self.scene.submit(*txs)):
            self.perform(self.scene.fail_journal())

    @rule(
        data=st.data(),
        base_fee=st.integers(0, 12),
        changed=st.dictionaries(st.sampled_from(SENDERS), ACCOUNTS, max_size=4),
    )
    def the_head_moves(self, data: st.DataObject, base_fee: int, changed: dict[Address, Account]) -> None:
        passed = [
            tx for tx in self.model.waiting if tx.sender in changed and tx.nonce < changed[tx.sender].nonce
        ]
        included = tuple(data.draw(st.lists(st.sampled_from(passed), unique=True))) if passed else ()
        reverted = [
            tx
            for tx in self.seen
            if tx.sender in changed and tx.nonce >= changed[tx.sender].nonce and tx.hash in self.departed
        ]
        orphaned = (
            tuple(data.draw(st.lists(st.sampled_from(reverted), unique=True, max_size=2))) if reverted else ()
        )
        head = head_at(self.scene.pool.head.height + 1, base_fee=base_fee)
        self.perform(self.scene.move_head(changed=changed, included=included, orphaned=orphaned, head=head))
        self.model.head = head
        self.model.waiting = [tx for tx in self.model.waiting if tx not in passed]
        for tx in orphaned:
            self.model.submit(tx, must_be_funded=False)

    @rule(data=st.data())
    def a_transaction_turns_out_never_to_run(self, data: st.DataObject) -> None:
        if self.model.waiting:
            tx = data.draw(st.sampled_from(self.model.waiting))
            self.perform(self.scene.judge((tx, Verdict(Standing.NEVER, "NEVER", "never"))))
            self.model.waiting.remove(tx)

    @invariant()
    def both_hold_the_same(self) -> None:
        assert self.scene.waiting() == {tx.hash for tx in self.model.waiting}
        view = self.scene.pool.view
        assert sum(view.counts()) == len(self.model.waiting) <= BOUNDS.transactions_max
        assert view.bytes_total() == sum(tx.size for tx in self.model.waiting) <= BOUNDS.bytes_max

    @invariant()
    def a_builder_sees_the_same_order(self) -> None:
        assert list(self.scene.pool.best()) == self.model.best()

    @invariant()
    def pending_nonces_agree(self) -> None:
        for sender in SENDERS:
            expected = self.model.ready_end(sender) if self.model.queue(sender) else None
            assert self.scene.pool.view.next_nonce(sender) == expected

    @invariant()
    def what_was_acknowledged_waits_or_was_published(self) -> None:
        waiting = self.scene.waiting()
        assert self.acknowledged <= waiting | self.departed
        assert not waiting & self.departed

    @invariant()
    def what_was_acknowledged_and_waits_is_in_the_journal(self) -> None:
        for hash_ in self.acknowledged & self.scene.waiting():
            assert b"raw" + hash_ in self.journal


TestPoolAgainstModel = PoolAgainstModel.TestCase
TestPoolAgainstModel.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
