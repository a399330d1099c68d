"""Runs of whole nodes that take turns, by seed: they hold, they go on after faults, and a seed is a run."""

from __future__ import annotations

import os

import pytest

from coc.primitives.keccak import keccak256
from coc.sim.full.campaign import Failed
from coc.sim.full.plan import Crash, Cut, Forgets, Plan
from coc.sim.rotation_full.campaign import Outcome, run, run_network
from coc.sim.rotation_full.liars import LIES
from coc.sim.rotation_full.network import Network
from coc.sim.rotation_full.plan import FINAL_DEPTH_BLOCKS, calm_plan, plan_of
from tests.sim.other_processes import said_in_other_processes

SEEDS = int(os.environ.get("COC_SIM_TURNS_SEEDS", "12"))
FIRST = int(os.environ.get("COC_SIM_FIRST", "0"))


def held(plan: Plan) -> Outcome:
    """A run, with the end of its story where it fails."""
    try:
        return run(plan)
    except Failed as failed:
        pytest.fail("\n".join([*failed.story[-80:], failed.sentence]))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_a_usual_run_holds(seed: int) -> None:  # ROT-8, ROT-17, ROT-21, ROT-23
    assert held(plan_of(seed)).final > FINAL_DEPTH_BLOCKS


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_breaks_an_invariant_on_a_bad_network(lie: str) -> None:  # ROT-14, ROT-25, ROT-26
    assert held(plan_of(1_000, lie)).final > FINAL_DEPTH_BLOCKS


def test_the_usual_runs_are_as_varied_as_they_claim() -> None:
    plans = [plan_of(seed) for seed in range(300)]

    assert {plan.size for plan in plans} == {3, 4, 5, 7}
    assert {lie for plan in plans for _, lie in plan.liars} == set(LIES)
    assert all(plan.size >= 4 for plan in plans if plan.liars)
    assert all(plan.crashes and plan.skews_ms for plan in plans)
    assert sum(bool(plan.cuts) for plan in plans) > 150
    assert sum(bool(plan.slow_disks) for plan in plans) > 50
    assert sum(bool(plan.full_disks) for plan in plans) > 30
    assert {crash.forgets for plan in plans for crash in plan.crashes} == set(Forgets)


def test_four_nodes_without_faults_fill_every_slot_and_include_what_a_client_sent() -> None:  # ROT-2, ROT-7
    network = Network(calm_plan(1, slots=20), FINAL_DEPTH_BLOCKS)
    sent: list[bytes] = []
    network.world.after(3_000, lambda: sent.append(network.send_transfer() or b""))

    outcome = run_network(network)

    assert outcome.reorganisations == 0
    assert outcome.height >= 20
    assert outcome.height - outcome.final == FINAL_DEPTH_BLOCKS
    taken = [node.chain.find_transaction(keccak256(sent[0])) for node in network.nodes]
    assert None not in taken
    assert len(set(taken)) == 1


def test_two_halves_grow_two_branches_and_come_together_with_what_both_had_promised() -> None:  # FC-2, ROT-21
    halves = Cut(8_000, 20_000, frozenset({0, 1}), is_one_way=False)
    plan = Plan(5, (1, 1, 1, 1), fault_ms=20_500, cuts=(halves,), transactions_per_s=2.0)
    network = Network(plan, FINAL_DEPTH_BLOCKS)
    seen: list[tuple[set[bytes], set[bool]]] = []

    def look() -> None:
        heads = {node.chain.head.hash for node in network.nodes}
        seen.append((heads, {node.chain.finalized.number <= 8 for node in network.nodes}))

    network.world.after(19_900, look)
    outcome = run_network(network)

    (heads, are_low) = seen[0]
    assert len(heads) == 2
    assert are_low == {True}, "no half has more than two thirds"
    assert outcome.reorganisations >= 2
    assert outcome.transactions >= 0.9 * 2.0 * 20, "those of the branch that lost are in blocks too"


def test_all_power_lost_at_once_costs_nothing_that_was_final() -> None:  # ROT-23
    crashes = tuple(
        Crash(moment + seat, seat, 400, is_power_cut=True) for moment in (9_003, 13_003) for seat in range(4)
    )
    outcome = held(Plan(11, (1, 1, 1, 1), fault_ms=16_000, loss=0.02, crashes=crashes))

    assert outcome.final >= 10


def test_with_one_of_three_away_blocks_go_on_and_nothing_becomes_final() -> None:  # ROT-13, ROT-21
    away = Crash(6_500, 2, 13_000, is_power_cut=True)
    network = Network(Plan(3, (1, 1, 1), fault_ms=20_000, crashes=(away,)), FINAL_DEPTH_BLOCKS)
    seen: list[tuple[int, int]] = []

    def look() -> None:
        chain = network.nodes[0].chain
        seen.append((chain.head.number, chain.finalized.number))

    network.world.after(19_300, look)
    run_network(network)

    ((head, final),) = seen
    assert head >= 14
    assert final <= 6


def test_a_run_is_its_seed_whatever_the_hash_seed_and_the_threads() -> None:
    program = (
        "from coc.sim.rotation_full.campaign import run; from coc.sim.rotation_full.plan import plan_of; "
        "print(*(run(plan_of(seed)).digest for seed in (7, 10)))"
    )
    digests = said_in_other_processes(program)
    assert len(digests) == 1
    assert digests != {""}
