"""Runs of the BFT machine by seed: faults for a while, then none, and then it must go on.

`run(plan)` raises `Violation` if an invariant breaks; a campaign collects the seeds that do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from coc.primitives.frozen import frozen
from coc.sim.bft_checkers import ROUNDS_AFTER_HEAL_MAX
from coc.sim.bft_network import Network
from coc.sim.bft_plan import Plan, plan_of
from coc.sim.machines.campaign import Violation, failing_seeds

HEIGHTS_AFTER_HEAL = 3
"""Heights that every honest node must finish after the last fault."""
PATIENCE_MS = 240_000
"""Virtual time they may take: ten rounds of every step at its cap, for each of them, and skewed clocks."""


@frozen
class Outcome:
    """What a run came to: heights decided, the highest round that decided one, and its digest."""

    seed: int
    heights: int
    rounds: int
    digest: str
    virtual_ms: int


def run(plan: Plan) -> Outcome:
    """One run.

    Raises:
        Violation: an invariant is broken, or nothing moves after the faults end.
    """
    network = Network(plan)
    network.start_all()
    for moment in plan.blackouts_ms:
        network.after(moment, network.kill_all)
    network.heal_at(plan.fault_ms)
    _check_progress(network)
    network.watch.check_evidence()
    decided = network.watch.rounds
    return Outcome(plan.seed, len(decided), max(decided.values()), network.digest(), network.now_ms)


def failing(seeds: Iterable[int], plan_for: Callable[[int], Plan] = plan_of) -> list[tuple[int, str]]:
    """The seeds that break an invariant, each with what it breaks."""
    return failing_seeds(seeds, lambda seed: run(plan_for(seed)))


def _check_progress(network: Network) -> None:
    """Liveness: the height in progress and the next ones end, in few rounds (BFT-16, BFT-30)."""
    honest = network.honest()
    statuses = [node.machine.status for node in honest]
    height = max(status.height for status in statuses)
    round_ = max(status.round for status in statuses if status.height == height)
    goal = height + HEIGHTS_AFTER_HEAL
    finished = network.run_until(
        network.now_ms + PATIENCE_MS,
        lambda: all(len(node.disk.log) >= goal for node in honest),
    )
    if not finished:
        reached = sorted(len(node.disk.log) for node in honest)
        raise Violation(f"liveness: {reached} heights where {goal} were due")
    for number, decided_in in network.watch.rounds.items():
        allowed = ROUNDS_AFTER_HEAL_MAX + (round_ if number == height else 0)
        if number >= height and decided_in > allowed:
            raise Violation(f"liveness: height {number} took round {decided_in}")
