"""Whole fetches by seed: liars, silence, kills, full disks, a block that nobody keeps; the truth in the end.

SYNC-1, SYNC-9, SYNC-10, SYNC-11, SYNC-12, SYNC-13.
"""

from __future__ import annotations

import pytest

from coc.primitives.types import Height
from tests.consensus.sync.snapshot.plans import plan_of
from tests.consensus.sync.snapshot.world import Fetch, Plan

SEEDS = range(30)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_honest_peer_is_enough_whatever_the_others_do(seed: int) -> None:
    fetch = Fetch(plan_of(seed))
    fetch.run()

    assert fetch.builder is not None
    assert fetch.builder.is_complete
    assert fetch.builder.truth.block == fetch.machine.target.block


def test_the_seeds_bring_up_every_kind_of_trouble() -> None:
    plans = [plan_of(seed) for seed in SEEDS]
    assert {plan.liars for plan in plans} >= {0, 12}
    assert {plan.kills for plan in plans} == {0, 1, 2, 3}
    assert {plan.has_helper for plan in plans} == {True, False}
    assert {bool(plan.failures) for plan in plans} == {True, False}
    assert {bool(plan.newer_at_ms) for plan in plans} == {True, False}


def test_a_run_is_the_same_every_time() -> None:
    ends = set()
    for _ in range(2):
        fetch = Fetch(plan_of(11))
        fetch.run()
        ends.add((fetch.now_ms, len(fetch.blamed), fetch.machine.target.height))
    assert len(ends) == 1


def test_a_block_that_nobody_keeps_any_more_is_left_for_a_newer_one() -> None:
    fetch = Fetch(Plan(seed=1, liars=0, newer_at_ms=3_000))
    fetch.run()
    assert fetch.machine.target.height == Height(256)


def test_after_kills_the_same_block_is_gone_on_with() -> None:
    fetch = Fetch(Plan(seed=2, liars=0, kills=3))
    fetch.run()
    assert fetch.life == 3
    assert fetch.machine.target.height == Height(128)
