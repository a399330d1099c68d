"""The pool's limits as they are in the program, each met exactly and then overstepped."""

from __future__ import annotations

from collections.abc import Iterable

from coc.execution.mempool.effects import Effect, Evicted, JournalRewrite, Refuse
from coc.execution.mempool.inputs import Account, Origin
from coc.primitives import limits
from coc.primitives.types import Address
from tests.execution.mempool.scene import ALICE, BOB, RICH, Scene, Tx, head_at

PERCENT = 100


def sender(number: int) -> Address:
    return Address(number.to_bytes(20, "big"))


def refusals(effects: Iterable[Effect]) -> list[str]:
    return [effect.code for effect in effects if isinstance(effect, Refuse)]


def test_the_pool_holds_mempool_transactions_max() -> None:
    scene = Scene()
    most = limits.MEMPOOL_TRANSACTIONS_MAX
    assert (
        refusals(scene.submit(*(Tx(sender(number), 0) for number in range(most)), origin=Origin.PEER)) == []
    )
    assert refusals(scene.submit(Tx(sender(most), 0))) == ["POOL_FULL"]
    better = scene.submit(Tx(sender(most), 0, max_priority_fee_per_gas=2 * 10**9))
    assert len([effect for effect in better if isinstance(effect, Evicted)]) == 1


def test_the_pool_holds_mempool_bytes_max() -> None:
    scene = Scene()
    size = limits.MEMPOOL_TRANSACTION_BYTES_MAX
    most = limits.MEMPOOL_BYTES_MAX // size
    assert refusals(scene.submit(*(Tx(sender(number), 0, size=size) for number in range(most)))) == []
    assert scene.pool.view.bytes_total() == limits.MEMPOOL_BYTES_MAX
    assert refusals(scene.submit(Tx(sender(most), 0, size=1))) == ["POOL_FULL"]


def test_a_sender_has_mempool_sender_transactions_max() -> None:
    scene = Scene()
    most = limits.MEMPOOL_SENDER_TRANSACTIONS_MAX
    assert refusals(scene.submit(*(Tx(ALICE, nonce) for nonce in range(most)))) == []
    assert refusals(scene.submit(Tx(ALICE, most))) == ["SENDER_FULL"]
    assert refusals(scene.submit(Tx(BOB, 0))) == []


def test_a_delegated_account_has_mempool_delegated_transactions_max() -> None:
    scene = Scene()
    scene.accounts[ALICE] = Account(0, RICH, has_code=True)
    most = limits.MEMPOOL_DELEGATED_TRANSACTIONS_MAX
    assert refusals(scene.submit(*(Tx(ALICE, nonce) for nonce in range(most + 1)))) == ["DELEGATED_LIMIT"]


def test_replacing_needs_mempool_replacement_percent_min() -> None:
    scene = Scene()
    scene.submit(Tx(ALICE, 0, PERCENT, PERCENT))
    enough = PERCENT + limits.MEMPOOL_REPLACEMENT_PERCENT_MIN
    assert refusals(scene.submit(Tx(ALICE, 0, enough - 1, enough - 1))) == ["REPLACEMENT_UNDERPRICED"]
    assert refusals(scene.submit(Tx(ALICE, 0, enough, enough))) == []


def test_replacing_blobs_needs_mempool_blob_replacement_percent_min() -> None:
    scene = Scene()

    def blob(fee: int) -> Tx:
        return Tx(ALICE, 0, fee, fee, max_fee_per_blob_gas=fee, blob_count=1)

    scene.submit(blob(PERCENT))
    enough = PERCENT + limits.MEMPOOL_BLOB_REPLACEMENT_PERCENT_MIN
    assert refusals(scene.submit(blob(enough - 1))) == ["REPLACEMENT_UNDERPRICED"]
    assert refusals(scene.submit(blob(enough))) == []


def test_the_journal_holds_mempool_journal_slack_bytes_max_of_dead_records() -> None:
    scene = Scene()
    size = limits.MEMPOOL_TRANSACTION_BYTES_MAX
    most = limits.MEMPOOL_JOURNAL_SLACK_BYTES_MAX // size
    txs = [Tx(ALICE, nonce, size=size) for nonce in range(most + 1)]
    scene.submit(*txs)
    at_most = scene.move_head(changed={ALICE: Account(most - 1, RICH)}, head=head_at(1))
    assert not any(isinstance(effect, JournalRewrite) for effect in at_most)
    scene.move_head(changed={ALICE: Account(most, RICH)}, head=head_at(2))
    beyond = scene.move_head(changed={ALICE: Account(most + 1, RICH)}, head=head_at(3))
    assert beyond[-1] == JournalRewrite([])
