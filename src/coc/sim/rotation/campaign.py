"""Runs of the rotation machine by seed: faults for a while, then none, and then it must go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from coc.primitives.frozen import frozen
from coc.sim.machines.campaign import Violation, failing_seeds
from coc.sim.rotation.network import Network
from coc.sim.rotation.plan import START_MS, Plan, plan_of

BLOCKS_AFTER_HEAL = 12
"""Blocks by which everybody's final block must rise after the last fault."""
PATIENCE_MS = 120_000
"""Virtual time it may take: two minutes, ten times what it takes where all propose."""


@frozen
class Outcome:
    """What a run came to."""

    seed: int
    height: int
    final: int
    reorganisations: int
    digest: str


def run(plan: Plan) -> Outcome:
    """One run.

    Raises:
        Violation: an invariant is broken, or nothing moves after the faults end.
    """
    network = Network(plan)
    network.start_all()
    network.heal_at(START_MS + plan.fault_ms)
    _check_progress(network)
    _check_evidence(network)
    best = max(network.honest(), key=lambda node: node.machine.head.height).machine
    taken_back = network.watch.reorganisations
    return Outcome(plan.seed, best.head.height, best.final.height, taken_back, network.digest())


def failing(seeds: Iterable[int], plan_for: Callable[[int], Plan] = plan_of) -> list[tuple[int, str]]:
    """The seeds that break an invariant, each with what it breaks."""
    return failing_seeds(seeds, lambda seed: run(plan_for(seed)))


def _check_progress(network: Network) -> None:
    """Everybody comes to one chain, and what is final rises."""
    honest = network.honest()
    goal = max(node.machine.head.height for node in honest) + BLOCKS_AFTER_HEAL
    finished = network.run_until(
        network.now_ms + PATIENCE_MS,
        lambda: all(node.is_up and node.machine.final.height >= goal for node in honest),
    )
    if not finished:
        reached = sorted(node.machine.final.height for node in honest)
        raise Violation(f"liveness: {reached} final where {goal} was due")


def _check_evidence(network: Network) -> None:
    """Whoever heard two seals of one slot has said so (ROT-25)."""
    for node in network.honest():
        if node.is_up and not node.ears.doubles <= node.found:
            raise Violation("evidence: two seals of one slot were heard and not reported")
