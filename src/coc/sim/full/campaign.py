"""Runs by seed, and their judgement: faults for a while, then none, and then the network must go on.

`run(plan)` raises `Violation` where an invariant breaks or nothing moves; a campaign collects such seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from coc.primitives.frozen import frozen
from coc.sim.course import begin, heal
from coc.sim.full.checkers.agreement import OneBlockAHeight
from coc.sim.full.checkers.convictions import DoubleSignersAreConvicted
from coc.sim.full.network import Network
from coc.sim.full.plan import Plan, SetChange, plan_of
from coc.sim.full.watching import Violation

HEIGHTS_AFTER_HEAL = 3
"""Heights that every node must finish after the last fault."""
ROUNDS_AFTER_HEAL_MAX = 10
"""Rounds in which each of them must be decided."""
PATIENCE_MS = 180_000
"""Virtual time they may take: ten rounds of every step at its cap, and a clock a minute wrong."""


@frozen
class Outcome:
    """What a run came to."""

    seed: int
    heights: int
    rounds: int
    digest: str
    virtual_ms: int
    messages: int
    message_bytes: int


class Failed(Exception):
    """A run that broke an invariant: the sentence, and the story that led to it."""

    def __init__(self, seed: int, sentence: str, story: list[str]) -> None:
        """Keep the whole story: whoever asks shows its end."""
        super().__init__(sentence)
        self.seed = seed
        self.sentence = sentence
        self.story = story


def run(plan: Plan) -> Outcome:
    """One run.

    Raises:
        Failed: an invariant is broken, or nothing moves after the faults end.
    """
    return run_network(Network(plan))


def run_network(network: Network) -> Outcome:
    """The run of a network that has not begun; whoever made it may look at it afterwards.

    Raises:
        Failed: as `run`.
    """
    try:
        return _run(network)
    except Violation as broken:
        raise Failed(network.plan.seed, str(broken), network.world.lines) from broken


def failing(seeds: Iterable[int], plan_for: Callable[[int], Plan] = plan_of) -> list[Failed]:
    """The seeds that break an invariant."""
    found = []
    for seed in seeds:
        try:
            run(plan_for(seed))
        except Failed as failed:
            found.append(failed)
    return found


def _run(network: Network) -> Outcome:
    world, plan = network.world, network.plan
    begin(world, network.nodes)
    for change in plan.set_changes:
        world.after(change.at_ms, _changing(network, change))
    _send_transfers(network)
    world.run_until(plan.fault_ms)
    heal(world, network.nodes)
    _check_progress(network)
    _check_convictions(network)
    agreement = next(each for each in network.watch.checkers if isinstance(each, OneBlockAHeight))
    rounds = max(agreement.rounds.values(), default=0)
    return Outcome(
        plan.seed,
        len(agreement.decided),
        rounds,
        world.digest(),
        world.now_ms,
        world.messages,
        world.message_bytes,
    )


def _check_progress(network: Network) -> None:
    world, nodes = network.world, network.honest()
    height = max(node.height for node in nodes) + 1
    statuses = [node.node.engine.status for node in nodes]
    round_before = max((status.round for status in statuses if status.height == height), default=0)
    goal = height - 1 + HEIGHTS_AFTER_HEAL
    finished = world.run_until(world.now_ms + PATIENCE_MS, lambda: all(node.height >= goal for node in nodes))
    if not finished:
        reached = sorted(node.height for node in nodes)
        raise Violation(f"liveness: nodes reached {reached} where {goal} was due")
    agreement = next(each for each in network.watch.checkers if isinstance(each, OneBlockAHeight))
    for number, decided_in in agreement.rounds.items():
        allowed = ROUNDS_AFTER_HEAL_MAX + (round_before if number == height else 0)
        if height <= number <= goal and decided_in > allowed:
            raise Violation(f"liveness: height {number} took round {decided_in}")


def _check_convictions(network: Network) -> None:
    """Whoever was caught signing twice is convicted by the chain, on every node."""
    checker = next(each for each in network.watch.checkers if isinstance(each, DoubleSignersAreConvicted))
    honest, world = network.honest(), network.world
    if not world.run_until(world.now_ms + PATIENCE_MS, lambda: checker.are_judged(honest)):
        raise Violation("conviction: evidence was found and the chain has not judged it")


def _changing(network: Network, change: SetChange) -> Callable[[], None]:
    return lambda: network.send_set_change(change)


def _send_transfers(network: Network) -> None:
    rate = network.plan.transactions_per_s
    if not rate:
        return

    def act() -> None:
        network.send_transfer()
        network.world.after(round(1_000 / rate), act)

    network.world.after(500, act)
