"""The pool over time: heads, reorganisations, verdicts, the journal, and what a builder sees."""

from __future__ import annotations

from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.effects import (
    Acknowledge,
    Added,
    BecameReady,
    Dropped,
    Included,
    JournalAppend,
    JournalRewrite,
    JudgeAgain,
    Refuse,
)
from coc.execution.mempool.inputs import Account, HeadChanged, Judged, Origin, Standing, Submit, Verdict
from coc.primitives.limits import MEMPOOL_ARRIVALS_MAX
from coc.primitives.types import Hash32, Millis
from tests.execution.mempool.scene import ALICE, BOB, CAROL, GWEI, RICH, Scene, Tx, head_at


def test_a_block_takes_its_transactions_and_voids_rivals_with_the_same_nonce() -> None:
    scene = Scene()
    mine, rival, rest = Tx(ALICE, 0), Tx(BOB, 0), Tx(BOB, 1)
    scene.submit(mine, rival, rest)
    effects = scene.move_head(changed={ALICE: Account(1, RICH), BOB: Account(1, RICH)}, included=(mine,))
    assert [type(effect) for effect in effects] == [Included, Dropped]
    assert effects[0] == Included([mine.hash])
    assert isinstance(effects[1], Dropped)
    assert (effects[1].hash, effects[1].code) == (rival.hash, "NONCE_USED")
    assert list(scene.pool.best()) == [rest]
    assert scene.pool.view.next_nonce(ALICE) is None


def test_a_nonce_that_jumps_over_a_gap_makes_what_waited_ready() -> None:
    scene = Scene()
    waiting = Tx(ALICE, 4)
    scene.submit(waiting)
    assert scene.move_head(changed={ALICE: Account(4, RICH)}) == [BecameReady([waiting.hash])]
    assert list(scene.pool.best()) == [waiting]


def test_a_shrunken_balance_makes_a_transaction_wait_and_go_first_when_room_is_needed() -> None:
    scene = Scene(PoolLimits(transactions_max=2, sender_transactions_max=2))
    poor, other = Tx(ALICE, 0, max_priority_fee_per_gas=5 * GWEI), Tx(BOB, 0, max_priority_fee_per_gas=2)
    scene.submit(poor, other)
    assert scene.move_head(changed={ALICE: Account(0, 1)}) == []
    assert list(scene.pool.best()) == [other]
    newcomer = Tx(CAROL, 0, max_priority_fee_per_gas=1)
    scene.submit(newcomer)
    assert scene.waiting() == {other.hash, newcomer.hash}


def test_a_balance_that_comes_back_wakes_what_waited() -> None:
    scene = Scene()
    tx = Tx(ALICE, 0)
    scene.submit(tx)
    scene.move_head(changed={ALICE: Account(0, 0)})
    assert list(scene.pool.best()) == []
    scene.move_head(changed={ALICE: Account(0, RICH)})
    assert list(scene.pool.best()) == [tx]


def test_a_reorganisation_brings_transactions_back_and_journals_them_again() -> None:
    scene = Scene()
    first, second = Tx(ALICE, 0), Tx(ALICE, 1)
    scene.submit(first, second)
    scene.move_head(changed={ALICE: Account(1, RICH)}, included=(first,))
    effects = scene.move_head(changed={ALICE: Account(0, RICH)}, orphaned=(first,))
    assert effects == [Added(first, ready=True), BecameReady([second.hash]), JournalAppend([first.raw])]
    assert list(scene.pool.best()) == [first, second]


def test_an_orphan_that_can_never_run_again_is_published_as_dropped() -> None:
    scene = Scene()
    tx = Tx(ALICE, 0)
    effects = scene.move_head(changed={ALICE: Account(1, RICH)}, orphaned=(tx,))
    assert [type(effect) for effect in effects] == [Dropped]


def test_the_journal_read_back_at_start_refills_the_pool_without_promises_or_new_records() -> None:
    scene = Scene()
    tx, hopeless = Tx(ALICE, 0), Tx(BOB, 0)
    assert scene.submit(tx, origin=Origin.JOURNAL) == [Added(tx, ready=True)]
    never = Verdict(Standing.NEVER, "NONCE_TOO_LOW", "nonce too low")
    replayed = scene.submit(hopeless, origin=Origin.JOURNAL, verdict=never)
    assert replayed == [Dropped(hopeless.hash, "NONCE_TOO_LOW", "nonce too low")]


def test_an_acknowledged_transaction_read_back_waits_even_when_its_sender_has_become_poor() -> None:
    scene = Scene()
    scene.accounts[ALICE] = Account(0, 1)
    tx = Tx(ALICE, 0)
    assert scene.submit(tx, origin=Origin.JOURNAL) == [Added(tx, ready=True)]
    assert list(scene.pool.best()) == []


def test_a_failed_journal_undoes_the_whole_batch_and_refuses_it() -> None:
    scene = Scene(PoolLimits(transactions_max=3, sender_transactions_max=3))
    kept, cheap = Tx(ALICE, 0), Tx(BOB, 0, max_priority_fee_per_gas=1)
    third = Tx(CAROL, 0, max_priority_fee_per_gas=2)
    scene.submit(kept, cheap, third)
    before = scene.waiting()
    replacing = Tx(ALICE, 0, 20 * GWEI, 2 * GWEI)
    evicting = Tx(ALICE, 1, 20 * GWEI, 2 * GWEI)
    twice = kept
    scene.submit(replacing, evicting, twice)
    assert scene.waiting() != before
    refused = scene.fail_journal()
    assert [(effect.hash, effect.code) for effect in refused if isinstance(effect, Refuse)] == [
        (replacing.hash, "JOURNAL_FAILED"),
        (evicting.hash, "JOURNAL_FAILED"),
        (twice.hash, "REPLACEMENT_UNDERPRICED"),
    ]
    assert scene.waiting() == before
    assert list(scene.pool.best()) == [kept, third, cheap]


def test_the_journal_is_rewritten_once_dead_records_outweigh_living_ones() -> None:
    scene = Scene(PoolLimits(journal_slack_bytes_max=150))
    txs = [Tx(ALICE, nonce) for nonce in range(4)]
    scene.submit(*txs)
    assert scene.move_head(changed={ALICE: Account(2, RICH)}, included=(txs[0], txs[1])) == [
        Included([txs[0].hash, txs[1].hash])
    ]
    effects = scene.move_head(changed={ALICE: Account(3, RICH)}, included=(txs[2],))
    assert effects[-1] == JournalRewrite([txs[3].raw])
    assert scene.move_head(changed={ALICE: Account(4, RICH)}, included=(txs[3],)) == [Included([txs[3].hash])]


def test_candidates_judged_at_another_head_are_sent_back_for_a_new_verdict() -> None:
    scene = Scene()
    tx = Tx(ALICE, 0)
    stale = Submit(Hash32(b"\xff" * 32), Origin.LOCAL, [scene.candidate(tx)])
    assert scene.pool.step(Millis(0), stale) == [JudgeAgain([tx], Origin.LOCAL)]
    assert scene.waiting() == set()


def test_a_fork_asks_for_every_verdict_again_and_never_drops_on_the_answer() -> None:
    scene = Scene()
    fine, doomed = Tx(ALICE, 0), Tx(BOB, 0)
    scene.submit(fine, doomed)
    assert scene.move_head(rules_changed=True) == [JudgeAgain([fine, doomed], None)]
    never = Verdict(Standing.NEVER, "GAS_LIMIT_TOO_HIGH", "transaction gas limit too high")
    later = Verdict(Standing.LATER, "FEE_TOO_LOW", "max fee per gas less than block base fee")
    effects = scene.judge((fine, later), (doomed, never))
    assert effects == [Dropped(doomed.hash, "GAS_LIMIT_TOO_HIGH", "transaction gas limit too high")]
    assert scene.waiting() == {fine.hash}


def test_verdicts_of_another_head_are_asked_for_again() -> None:
    scene = Scene()
    tx = Tx(ALICE, 0)
    scene.submit(tx)
    never = Verdict(Standing.NEVER, "X", "x")
    stale = Judged(Hash32(b"\xff" * 32), [(tx.hash, never)])
    assert scene.pool.step(Millis(0), stale) == [JudgeAgain([tx], None)]
    assert scene.pool.step(Millis(0), Judged(Hash32(b"\xff" * 32), [(Hash32(b"\0" * 32), never)])) == []


def test_a_builder_sees_tips_then_arrival_and_each_sender_in_nonce_order() -> None:
    scene = Scene()
    alice = [Tx(ALICE, 0, max_priority_fee_per_gas=2), Tx(ALICE, 1, max_priority_fee_per_gas=9)]
    bob = [Tx(BOB, 0, max_priority_fee_per_gas=5), Tx(BOB, 1, max_priority_fee_per_gas=1)]
    carol = [Tx(CAROL, 0, max_priority_fee_per_gas=5)]
    scene.submit(*alice, *bob, *carol)
    assert list(scene.pool.best()) == [bob[0], carol[0], alice[0], alice[1], bob[1]]


def test_a_builder_does_not_see_what_the_next_block_cannot_run() -> None:
    scene = Scene()
    scene.submit(
        Tx(ALICE, 0, max_fee_per_gas=GWEI - 1, max_priority_fee_per_gas=1),
        Tx(BOB, 0, gas_limit=30_000_001),
        Tx(CAROL, 0, max_fee_per_blob_gas=1, blob_count=1),
    )
    scene.move_head(head=head_at(1, blob_base_fee=2))
    assert list(scene.pool.best()) == []
    scene.move_head(head=head_at(2, base_fee=1, blob_base_fee=1, gas_limit=40_000_000))
    assert len(list(scene.pool.best())) == 3


def test_views_split_ready_from_gapped_by_ascending_nonce() -> None:
    scene = Scene()
    txs = [Tx(ALICE, nonce) for nonce in (5, 1, 0, 7)]
    scene.submit(*txs)
    view = scene.pool.view
    assert (view.pending_of(ALICE), view.queued_of(ALICE)) == ([txs[2], txs[1]], [txs[0], txs[3]])
    assert (view.pending_of(BOB), view.queued_of(BOB)) == ([], [])
    assert (view.counts(), view.bytes_total()) == ((2, 2), 440)
    assert view.get(txs[0].hash) is txs[0]
    assert view.senders() == [ALICE]
    assert view.oldest_ms() == 0


def test_arrivals_are_told_once_to_whoever_comes_back_with_a_cursor() -> None:
    scene = Scene()
    first, second = Tx(ALICE, 0), Tx(ALICE, 1)
    scene.submit(first)
    cursor, hashes = scene.pool.view.arrivals(-1)
    assert hashes == []
    scene.submit(second)
    assert scene.pool.view.arrivals(cursor) == (cursor + 1, [second.hash])
    assert scene.pool.view.arrivals(cursor + 1) == (cursor + 1, [])
    assert scene.pool.view.arrivals(0) == (2, [first.hash, second.hash])


def test_only_the_last_arrivals_are_kept() -> None:
    view = Scene().pool.view
    hashes = [Hash32(number.to_bytes(32, "big")) for number in range(MEMPOOL_ARRIVALS_MAX + 1)]
    for hash_ in hashes:
        view.note_arrival(hash_)
    assert view.arrivals(0) == (len(hashes), hashes[1:])


def test_a_verdict_that_drops_the_first_leaves_the_rest_behind_a_gap() -> None:
    scene = Scene()
    first, second = Tx(ALICE, 0), Tx(ALICE, 1)
    scene.submit(first, second)
    scene.judge((first, Verdict(Standing.NEVER, "X", "x")))
    assert scene.pool.view.next_nonce(ALICE) == 0
    assert list(scene.pool.best()) == []
    again = Tx(ALICE, 0)
    assert scene.submit(again)[1:] == [
        Acknowledge(again.hash),
        Added(again, ready=True),
        BecameReady([second.hash]),
    ]


def test_accounts_the_pool_does_not_hold_are_ignored() -> None:
    scene = Scene()
    assert scene.pool.step(Millis(0), HeadChanged(head_at(1), {BOB: Account(9, 9)})) == []
