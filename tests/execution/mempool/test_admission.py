"""Admission: what may wait, at what price, and who leaves for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.effects import (
    Acknowledge,
    Added,
    BecameReady,
    Effect,
    Evicted,
    JournalAppend,
    Refuse,
    Replaced,
)
from coc.execution.mempool.inputs import Account, Origin, Standing, Verdict
from coc.primitives import limits
from coc.primitives.frozen import replace
from tests.execution.mempool.scene import ALICE, BOB, CAROL, GWEI, Scene, Tx, head_at


def refusal_code(effects: Sequence[Effect]) -> str:
    assert len(effects) == 1
    assert isinstance(effects[0], Refuse)
    return effects[0].code


def test_a_local_transaction_is_in_the_journal_before_it_is_acknowledged() -> None:
    scene = Scene()
    tx = Tx(ALICE, 0)
    assert scene.submit(tx) == [JournalAppend([tx.raw]), Acknowledge(tx.hash), Added(tx, ready=True)]


def test_without_a_journal_the_answer_comes_at_once() -> None:
    scene = Scene(has_journal=False)
    tx = Tx(ALICE, 0)
    assert scene.submit(tx) == [Acknowledge(tx.hash), Added(tx, ready=True)]


def test_a_transaction_from_a_peer_is_neither_journalled_nor_answered() -> None:
    scene = Scene()
    tx = Tx(ALICE, 0)
    assert scene.submit(tx, origin=Origin.PEER) == [Added(tx, ready=True)]


def test_a_batch_is_one_journal_record_before_all_its_answers() -> None:
    scene = Scene()
    first, second, hopeless = Tx(ALICE, 0), Tx(BOB, 0), Tx(CAROL, 0, value=10**30)
    effects = scene.submit(first, hopeless, second)
    assert effects[0] == JournalAppend([first.raw, second.raw])
    assert [type(effect) for effect in effects[1:]] == [Acknowledge, Added, Refuse, Acknowledge, Added]


def test_the_same_transaction_twice_is_already_known() -> None:
    scene = Scene()
    tx = Tx(ALICE, 0)
    scene.submit(tx)
    assert refusal_code(scene.submit(tx)) == "ALREADY_KNOWN"


def test_what_can_never_run_is_refused_in_the_words_of_the_rules() -> None:
    scene = Scene()
    tx = Tx(ALICE, 0)
    never = Verdict(Standing.NEVER, "INTRINSIC_GAS", "intrinsic gas too low")
    assert scene.submit(tx, verdict=never) == [Refuse(tx.hash, "INTRINSIC_GAS", "intrinsic gas too low")]


def test_what_can_run_only_later_waits() -> None:
    scene = Scene()
    gapped, cheap = Tx(ALICE, 5), Tx(BOB, 0, max_fee_per_gas=1, max_priority_fee_per_gas=1)
    later = Verdict(Standing.LATER, "NONCE_GAP", "nonce gap")
    assert scene.submit(gapped, verdict=later)[-1] == Added(gapped, ready=False)
    assert scene.submit(cheap, verdict=later)[-1] == Added(cheap, ready=True)
    assert list(scene.pool.best()) == []


def test_filling_a_gap_makes_what_waited_behind_it_ready() -> None:
    scene = Scene()
    second, third, beyond, first = Tx(ALICE, 1), Tx(ALICE, 2), Tx(ALICE, 4), Tx(ALICE, 0)
    scene.submit(second, third, beyond)
    assert scene.pool.view.next_nonce(ALICE) == 0
    assert scene.submit(first)[-2:] == [Added(first, ready=True), BecameReady([second.hash, third.hash])]
    assert scene.pool.view.next_nonce(ALICE) == 3


@pytest.mark.parametrize(("fee", "tip", "taken"), [(11, 110, True), (10, 110, False), (11, 109, False)])
def test_replacing_needs_ten_percent_more_on_both_caps(fee: int, tip: int, taken: bool) -> None:
    scene = Scene()
    old = Tx(ALICE, 0, 10, 100)
    scene.submit(old)
    new = Tx(ALICE, 0, fee, tip)
    effects = scene.submit(new)
    if taken:
        assert effects[1:] == [Acknowledge(new.hash), Replaced(old.hash, new.hash), Added(new, ready=True)]
        assert scene.waiting() == {new.hash}
    else:
        assert refusal_code(effects) == "REPLACEMENT_UNDERPRICED"
        assert scene.waiting() == {old.hash}


@pytest.mark.parametrize(
    "short", ["max_fee_per_gas", "max_priority_fee_per_gas", "max_fee_per_blob_gas", None]
)
def test_replacing_blobs_needs_twice_every_cap(short: str | None) -> None:
    scene = Scene()
    scene.submit(Tx(ALICE, 0, 20, 10, max_fee_per_blob_gas=50, blob_count=1))
    new = Tx(ALICE, 0, 40, 20, max_fee_per_blob_gas=100, blob_count=1)
    if short is None:
        assert isinstance(scene.submit(new)[1], Acknowledge)
    else:
        short_of_it = replace(new, **{short: getattr(new, short) - 1})
        assert refusal_code(scene.submit(short_of_it)) == "REPLACEMENT_UNDERPRICED"


def test_a_transaction_with_blobs_and_one_without_do_not_replace_each_other() -> None:
    scene = Scene()
    scene.submit(Tx(ALICE, 0, 20, 10, max_fee_per_blob_gas=50, blob_count=1))
    assert refusal_code(scene.submit(Tx(ALICE, 0, 90, 90))) == "REPLACEMENT_KIND"


def test_replacing_costs_at_least_one_wei_more() -> None:
    scene = Scene()
    scene.submit(Tx(ALICE, 0, 0, 0))
    assert refusal_code(scene.submit(Tx(ALICE, 0, 0, 0))) == "REPLACEMENT_UNDERPRICED"
    assert isinstance(scene.submit(Tx(ALICE, 0, 1, 1))[1], Acknowledge)


def test_a_sender_cannot_promise_more_than_it_has() -> None:
    scene = Scene()
    cost = 21_000 * 10 * GWEI
    scene.accounts[ALICE] = Account(0, 2 * cost)
    scene.submit(Tx(ALICE, 0), Tx(ALICE, 1))
    assert refusal_code(scene.submit(Tx(ALICE, 2))) == "INSUFFICIENT_FUNDS"
    assert refusal_code(scene.submit(Tx(BOB, 0, value=10**25))) == "INSUFFICIENT_FUNDS"


def test_a_replacement_frees_what_it_replaces_before_its_cost_is_counted() -> None:
    scene = Scene()
    scene.accounts[ALICE] = Account(0, 21_000 * 11)
    scene.submit(Tx(ALICE, 0, 10, 1))
    assert isinstance(scene.submit(Tx(ALICE, 0, 11, 2))[1], Acknowledge)


def test_an_oversized_transaction_is_refused() -> None:
    scene = Scene()
    most = limits.MEMPOOL_TRANSACTION_BYTES_MAX
    assert isinstance(scene.submit(Tx(ALICE, 0, size=most))[1], Acknowledge)
    assert refusal_code(scene.submit(Tx(BOB, 0, size=most + 1))) == "OVERSIZED"


def test_a_nonce_that_the_account_has_used_is_refused() -> None:
    scene = Scene()
    scene.accounts[ALICE] = Account(3, 10**24)
    assert refusal_code(scene.submit(Tx(ALICE, 2))) == "NONCE_TOO_LOW"


def test_a_sender_at_its_limit_may_still_send_an_earlier_nonce_for_its_last() -> None:
    scene = Scene(PoolLimits(sender_transactions_max=2))
    early, middle, late = Tx(ALICE, 0), Tx(ALICE, 1), Tx(ALICE, 5)
    scene.submit(middle, late)
    assert refusal_code(scene.submit(Tx(ALICE, 9))) == "SENDER_FULL"
    effects = scene.submit(early)
    assert [effect.hash for effect in effects if isinstance(effect, Evicted)] == [late.hash]
    assert scene.waiting() == {early.hash, middle.hash}


def test_a_full_pool_takes_only_what_pays_more_than_its_cheapest_tail() -> None:
    scene = Scene(PoolLimits(transactions_max=2, sender_transactions_max=2))
    cheap, dear = Tx(ALICE, 0, max_priority_fee_per_gas=2), Tx(BOB, 0, max_priority_fee_per_gas=5)
    scene.submit(cheap, dear)
    assert refusal_code(scene.submit(Tx(CAROL, 0, max_priority_fee_per_gas=2))) == "POOL_FULL"
    better = Tx(CAROL, 0, max_priority_fee_per_gas=3)
    effects = scene.submit(better)
    assert [effect.hash for effect in effects if isinstance(effect, Evicted)] == [cheap.hash]
    assert scene.waiting() == {dear.hash, better.hash}


def test_a_dear_tail_behind_a_cheap_head_is_worth_no_more_than_the_head() -> None:
    scene = Scene(PoolLimits(transactions_max=3, sender_transactions_max=3))
    head, tail = Tx(ALICE, 0, max_priority_fee_per_gas=1), Tx(ALICE, 1, max_priority_fee_per_gas=500)
    other = Tx(BOB, 0, max_priority_fee_per_gas=100)
    scene.submit(head, tail, other)
    newcomer = Tx(CAROL, 0, max_priority_fee_per_gas=50)
    scene.submit(newcomer)
    assert scene.waiting() == {head.hash, other.hash, newcomer.hash}


def test_a_gapped_transaction_goes_before_any_that_is_ready() -> None:
    scene = Scene(PoolLimits(transactions_max=2, sender_transactions_max=2))
    gapped, ready = Tx(ALICE, 7, max_priority_fee_per_gas=9 * GWEI), Tx(BOB, 0, max_priority_fee_per_gas=1)
    scene.submit(gapped, ready)
    newcomer = Tx(CAROL, 0, max_priority_fee_per_gas=1)
    scene.submit(newcomer)
    assert scene.waiting() == {ready.hash, newcomer.hash}


def test_the_bytes_of_the_pool_are_bounded_and_a_failed_admission_leaves_no_trace() -> None:
    scene = Scene(PoolLimits(bytes_max=300))
    small = [
        Tx(ALICE, 0, max_priority_fee_per_gas=1, size=100),
        Tx(BOB, 0, max_priority_fee_per_gas=9, size=100),
    ]
    scene.submit(*small)
    before = scene.waiting()
    assert refusal_code(scene.submit(Tx(CAROL, 0, max_priority_fee_per_gas=5, size=290))) == "POOL_FULL"
    assert scene.waiting() == before
    assert scene.pool.view.bytes_total() == 200
    big = Tx(CAROL, 0, max_priority_fee_per_gas=10, size=290)
    assert {effect.hash for effect in scene.submit(big) if isinstance(effect, Evicted)} == before


def test_a_delegated_account_has_one_transaction_in_flight() -> None:
    scene = Scene()
    scene.accounts[ALICE] = Account(0, 10**24, has_code=True)
    assert refusal_code(scene.submit(Tx(ALICE, 1))) == "DELEGATED_GAPPED"
    scene.submit(Tx(ALICE, 0))
    assert refusal_code(scene.submit(Tx(ALICE, 1))) == "DELEGATED_LIMIT"
    assert isinstance(scene.submit(Tx(ALICE, 0, 20 * GWEI, 2 * GWEI))[1], Acknowledge)


def test_a_pending_delegation_limits_its_authority_and_frees_it_when_it_is_gone() -> None:
    scene = Scene()
    delegation = Tx(BOB, 0, authorities=(ALICE,))
    scene.submit(delegation)
    scene.submit(Tx(ALICE, 0))
    assert refusal_code(scene.submit(Tx(ALICE, 1))) == "DELEGATED_LIMIT"
    scene.move_head(changed={BOB: Account(1, 10**24)}, included=(delegation,))
    assert isinstance(scene.submit(Tx(ALICE, 1))[1], Acknowledge)


def test_an_account_with_two_waiting_transactions_cannot_become_an_authority() -> None:
    scene = Scene()
    scene.submit(Tx(ALICE, 0), Tx(ALICE, 1))
    assert refusal_code(scene.submit(Tx(BOB, 0, authorities=(ALICE,)))) == "AUTHORITY_RESERVED"


def test_after_the_head_moved_the_price_that_is_compared_is_the_new_one() -> None:
    scene = Scene(PoolLimits(transactions_max=2, sender_transactions_max=2))
    capped = Tx(ALICE, 0, max_fee_per_gas=3 * GWEI, max_priority_fee_per_gas=2 * GWEI)
    open_ended = Tx(BOB, 0, max_fee_per_gas=90 * GWEI, max_priority_fee_per_gas=GWEI)
    scene.submit(capped, open_ended)
    scene.move_head(head=head_at(1, base_fee=int(2.5 * GWEI)))
    newcomer = Tx(CAROL, 0, max_fee_per_gas=90 * GWEI, max_priority_fee_per_gas=GWEI)
    scene.submit(newcomer)
    assert scene.waiting() == {open_ended.hash, newcomer.hash}
