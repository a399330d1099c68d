"""What a block costs on the wire, and how fast the simulator is: in virtual time, no faults, no load.

Messages are all that nodes send in a run, from one to one: a vote to three peers is three. Bytes are theirs
as encoded, without what Noise and TCP add. Speed is virtual time by processor time: it is a figure of one
core, and what else the machine does must not count.
"""

from __future__ import annotations

import time

from nodes import BenchFailed

from coc.sim.full.campaign import Failed, Outcome, run_network
from coc.sim.full.network import Network
from coc.sim.full.plan import Plan, calm_plan

MANY = 25
"""Validators of the large network."""
HEIGHTS_OF_MANY = 10
"""Blocks of the large network: a run with thirty takes minutes and says the same."""


def figures(seed: int) -> dict[str, float]:
    """Figures of one seed."""
    four, seconds = _timed(calm_plan(seed))
    many, _ = _timed(calm_plan(seed, MANY, HEIGHTS_OF_MANY))
    return {
        "simulated, 4 validators: messages a block": four.messages / four.heights,
        "simulated, 4 validators: KB a block": four.message_bytes / four.heights / 1_000,
        f"simulated, {MANY} validators: messages a block": many.messages / many.heights,
        f"simulated, {MANY} validators: KB a block": many.message_bytes / many.heights / 1_000,
        "simulator, 4 validators: times real time": four.virtual_ms / 1_000 / seconds,
    }


def _timed(plan: Plan) -> tuple[Outcome, float]:
    """A run, and the seconds of processor time that it took once its nodes stood there."""
    network = Network(plan)
    started = time.process_time()
    try:
        outcome = run_network(network)
    except Failed as failed:
        raise BenchFailed(f"seed {plan.seed}: {failed}") from failed
    return outcome, time.process_time() - started
