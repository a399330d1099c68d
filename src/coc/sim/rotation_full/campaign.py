"""Runs by seed, and their judgement: faults for a while, then none, and then the network must go on.

`run(plan)` raises `Failed` where an invariant breaks or nothing moves.
"""

from __future__ import annotations

from coc.primitives.frozen import frozen
from coc.sim.course import begin, heal
from coc.sim.full.campaign import Failed
from coc.sim.full.plan import Plan
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.checkers.pools import PromisesAreKept
from coc.sim.rotation_full.network import Network
from coc.sim.rotation_full.plan import FINAL_DEPTH_BLOCKS

FIRST_TRANSFER_MS = 500
FINAL_BLOCKS_AFTER_HEAL = 4
"""Blocks by which everybody's final block must rise after the last fault."""
AGREEMENT_SLOTS_MAX = 20
"""Slots within which all heads must be one, and those blocks final: who is behind has to catch up first, and
the final block stands a depth below the head.
"""


@frozen
class Outcome:
    """What a run came to."""

    seed: int
    height: int
    final: int
    reorganisations: int
    transactions: int
    digest: str
    virtual_ms: int
    messages: int
    message_bytes: int


def run(plan: Plan) -> Outcome:
    """One run.

    Raises:
        Failed: an invariant is broken, or nothing moves after the faults end.
    """
    return run_network(Network(plan, FINAL_DEPTH_BLOCKS))


def run_network(network: Network) -> Outcome:
    """The run of a network that has not begun; whoever made it may look at it afterwards.

    Raises:
        Failed: as `run`.
    """
    try:
        return _run(network)
    except Violation as broken:
        raise Failed(network.plan.seed, str(broken), network.world.lines) from broken


def _run(network: Network) -> Outcome:
    world, plan = network.world, network.plan
    begin(world, network.nodes)
    _send_transfers(network)
    world.run_until(plan.fault_ms)
    heal(world, network.nodes)
    _check_progress(network)
    _check_promises(network)
    best = max(network.honest, key=lambda node: node.chain.head.number).chain
    transactions = sum(
        best.transaction_count(best.canonical_hash(number) or b"") or 0
        for number in range(1, best.head.number + 1)
    )
    return Outcome(
        plan.seed,
        best.head.number,
        best.finalized.number,
        network.watch.reorganisations,
        transactions,
        world.digest(),
        world.now_ms,
        world.messages,
        world.message_bytes,
    )


def _check_progress(network: Network) -> None:
    """Everybody comes to one chain, and what is final rises."""
    world, honest = network.world, network.honest
    goal = max(node.chain.head.number for node in honest) + FINAL_BLOCKS_AFTER_HEAL
    patience_ms = 1000 * network.plan.interval_s * AGREEMENT_SLOTS_MAX

    def agrees() -> bool:
        is_high = all(node.chain.finalized.number >= goal for node in honest)
        return is_high and len({node.chain.head.hash for node in honest}) == 1

    if not world.run_until(world.now_ms + patience_ms, agrees):
        reached = sorted((node.chain.head.number, node.chain.finalized.number) for node in honest)
        raise Violation(f"liveness: heads and final blocks are {reached} where {goal} was to be final")


def _check_promises(network: Network) -> None:
    """What a node has acknowledged is in its chain, or waits in its pool for a nonce that is missing."""
    checker = next(each for each in network.watch.checkers if isinstance(each, PromisesAreKept))
    for node in network.honest:
        for name in checker.broken(node):
            raise Violation(f"promise: node {node.position} has forgotten transaction {name.hex()[:8]}")


def _send_transfers(network: Network) -> None:
    """Clients send for as long as there are faults, so that what they sent can be looked for afterwards."""
    rate = network.plan.transactions_per_s
    if not rate:
        return

    def act() -> None:
        if not network.world.is_healed:
            network.send_transfer()
            network.world.after(round(1_000 / rate), act)

    network.world.after(FIRST_TRANSFER_MS, act)
