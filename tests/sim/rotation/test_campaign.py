"""The rotation machine under faults: COUNT seeds from SEED on (40 from 0), every invariant watched."""

from __future__ import annotations

import os

import pytest

from coc.sim.bft_plan import Cut
from coc.sim.rotation.campaign import failing, run
from coc.sim.rotation.network import Network
from coc.sim.rotation.plan import LIES, START_MS, Plan, plan_of
from tests.sim.other_processes import said_in_other_processes

COUNT = int(os.environ.get("COUNT") or 40)
SEED = int(os.environ.get("SEED") or 0)
SEEDS_A_CASE = 10
"""Cases are shared out among workers."""
QUIET = Plan(0, 4)


@pytest.mark.parametrize("first", range(SEED, SEED + COUNT, SEEDS_A_CASE))
def test_no_seed_breaks_an_invariant(first: int) -> None:  # ROT-3, ROT-8, ROT-17, ROT-21, ROT-23, FC-6
    assert failing(range(first, min(first + SEEDS_A_CASE, SEED + COUNT))) == []


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_breaks_an_invariant_on_a_bad_network(lie: str) -> None:  # ROT-14, ROT-25, ROT-26
    seeds = range(SEED, SEED + max(2, COUNT // 10))

    assert failing(seeds, lambda seed: plan_of(seed, lie)) == []


def test_a_healthy_network_fills_every_slot_and_takes_nothing_back() -> None:  # ROT-2, ROT-7
    outcome = run(QUIET)

    assert outcome.reorganisations == 0
    assert outcome.height >= QUIET.fault_ms // 1_000 - 1
    assert outcome.height - outcome.final == QUIET.final_depth


def split(size: int, away: frozenset[int], seconds: int) -> Network:
    """A network that was whole, then in two parts for some seconds."""
    cut = Cut(10_000, 10_000 + 1_000 * seconds, away, is_one_way=False)
    network = Network(Plan(1, size, cuts=(cut,)))
    for node in network.nodes:
        network.after(0, node.start)
    network.run_until(START_MS + 10_000 + 1_000 * seconds - 1)
    return network


def test_a_part_without_two_thirds_finalises_nothing_and_is_reorganised_when_it_returns() -> None:  # ROT-21
    network = split(4, frozenset({3}), 40)
    alone, others = network.nodes[3].machine, network.nodes[0].machine
    assert alone.final.height <= 10 < others.final.height
    assert alone.head.height > alone.final.height

    network.run_until(network.now_ms + 10_000)

    assert network.nodes[3].machine.final.height >= others.final.height - 1
    assert network.watch.reorganisations > 0


def test_two_halves_make_blocks_but_none_final_and_come_together() -> None:  # ROT-21, FC-2
    network = split(4, frozenset({0, 1}), 60)
    assert all(node.machine.final.height <= 10 for node in network.nodes)
    assert all(node.machine.head.height >= 30 for node in network.nodes)

    network.run_until(network.now_ms + 15_000)

    assert len({node.machine.final.hash for node in network.nodes}) <= 2
    assert all(node.machine.final.height >= 35 for node in network.nodes)


def test_one_of_three_away_stops_finality_and_not_the_chain() -> None:  # ROT-13, ROT-21
    network = split(3, frozenset({2}), 30)

    assert network.nodes[0].machine.final.height <= 10
    assert network.nodes[0].machine.head.height >= 25


def test_a_skewed_clock_costs_a_validator_its_slots_and_nobody_the_chain() -> None:  # ROT-6, ROT-15
    outcome = run(Plan(3, 4, skews_ms=(0, 0, 0, 5_000, 0)))

    assert outcome.final > 40


def test_two_processes_on_one_signer_never_seal_a_slot_twice() -> None:  # ROT-9
    outcome = run(Plan(4, 4, has_shared_signer=True, skews_ms=(0, 0, 0, 0, 150)))

    assert outcome.final > 40


def test_status_alone_is_enough_to_follow() -> None:  # ROT-19
    outcome = run(Plan(5, 4, loses_seals=True))

    assert outcome.final > 40


def test_the_usual_runs_are_as_varied_as_they_claim() -> None:
    plans = [plan_of(seed) for seed in range(300)]

    assert {plan.size for plan in plans} == {3, 4, 5, 7}
    assert {plan.liar for plan in plans} == {"", *LIES}
    assert all(plan.size >= 4 for plan in plans if plan.liar)
    assert sum(bool(plan.cuts) for plan in plans) > 100
    assert sum(plan.crashes > 0 and plan.wipes > 0 for plan in plans) > 50


def test_a_run_is_its_seed_whatever_the_hash_seed_is() -> None:
    code = "from coc.sim.rotation.campaign import run, plan_of; print(run(plan_of(7)).digest)"
    digests = said_in_other_processes(code)

    assert len(digests) == 1
