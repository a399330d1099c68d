"""The BFT machine under faults: COUNT seeds from SEED on (100 from 0), each invariant watched throughout."""

from __future__ import annotations

import os

import pytest

from coc.sim.bft_campaign import failing, run
from coc.sim.bft_network import Network
from coc.sim.bft_plan import LIES, Plan, hostile_plan, plan_of, split_plan
from tests.sim.other_processes import said_in_other_processes

COUNT = int(os.environ.get("COUNT") or 100)
SEED = int(os.environ.get("SEED") or 0)
SEEDS_A_CASE = 10
"""Cases are shared out among workers."""
QUIET = Plan(0, 4, (1, 1, 1, 1), skews_ms=(0,) * 4, fault_ms=10_000)


@pytest.mark.parametrize("first", range(SEED, SEED + COUNT, SEEDS_A_CASE))
def test_no_seed_breaks_an_invariant(first: int) -> None:  # BFT-11, BFT-20, BFT-28, BFT-30
    assert failing(range(first, min(first + SEEDS_A_CASE, SEED + COUNT))) == []


@pytest.mark.parametrize("lie", ["", *LIES])
def test_no_lie_breaks_an_invariant_on_a_bad_network(lie: str) -> None:  # BFT-26, BFT-35
    seeds = range(SEED, SEED + max(1, COUNT // 50))

    assert failing(seeds, lambda seed: hostile_plan(seed, lie)) == []
    assert failing(seeds, lambda seed: split_plan(seed, lie)) == []


def test_a_healthy_network_decides_every_height_in_its_first_round() -> None:  # BFT-13
    outcome = run(QUIET)

    assert outcome.rounds == 0
    assert outcome.heights >= QUIET.fault_ms // QUIET.rules().interval_ms


def test_one_of_four_that_never_starts_costs_one_round_where_it_proposes() -> None:  # BFT-9, BFT-16
    network = Network(QUIET)
    for node in network.nodes[:3]:
        network.after(0, node.start)
    network.run_until(20_000)

    assert set(network.watch.rounds.values()) == {0, 1}
    assert all(round_ == int(height % 4 == 3) for height, round_ in network.watch.rounds.items())


def test_without_a_quorum_nothing_is_decided_until_the_third_returns() -> None:  # BFT-3, BFT-30
    network = Network(QUIET)
    for node in network.nodes[:2]:
        network.after(0, node.start)
    network.run_until(60_000)
    assert network.watch.decided == {}

    network.nodes[2].start()
    assert network.run_until(90_000, lambda: len(network.watch.decided) >= 3)
    assert max(network.watch.rounds.values()) <= 10


def test_all_killed_at_once_again_and_again_keep_what_they_agreed_on() -> None:  # BFT-20, BFT-21, BFT-22
    moments = tuple(range(400, 9_000, 371))

    assert failing(range(5), lambda seed: _with_blackouts(seed, moments)) == []


def _with_blackouts(seed: int, moments: tuple[int, ...]) -> Plan:
    return Plan(seed, 4, (1,) * 4, skews_ms=(0,) * 4, blackouts_ms=moments, fault_ms=10_000)


def test_the_usual_runs_are_as_varied_as_they_claim() -> None:
    plans = [plan_of(seed) for seed in range(300)]

    assert sum(plan.size == 4 for plan in plans) >= 0.6 * len(plans)
    assert {plan.size for plan in plans} >= {4, 5, 7, 10, 13}
    assert all(plan.loss > 0 and plan.crashes > 0 for plan in plans)
    assert {lie for plan in plans for _, lie in plan.liars} == set(LIES)
    assert all(3 * sum(plan.powers[at] for at, _ in plan.liars) < sum(plan.powers) for plan in plans)


def test_a_seed_is_a_run_whatever_the_hash_seed() -> None:
    code = (
        "from coc.sim.bft_campaign import run; from coc.sim.bft_plan import plan_of; print(run(plan_of(3)))"
    )
    outputs = said_in_other_processes(code)

    assert len(outputs) == 1
    assert "digest=" in outputs.pop()
