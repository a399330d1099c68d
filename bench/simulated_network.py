"""What a block costs on the wire, and how fast the simulator is: in virtual time, no faults, no load.

Messages are all that nodes send in a run, from one to one: a vote to three peers is three. Bytes are theirs
as encoded, without what Noise and TCP add.
"""

from __future__ import annotations

import json
import subprocess

from nodes import COC, BenchFailed

from coc.sim.full.campaign import run
from coc.sim.full.plan import calm_plan

MANY = 25
"""Validators of the large network."""
HEIGHTS_OF_MANY = 10
"""Blocks of the large network: a run with thirty takes minutes and says the same."""


def figures(seed: int) -> dict[str, float]:
    """Figures of one seed."""
    done = subprocess.run(
        [COC, "sim", "--calm", "--json", "--seed", str(seed)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BenchFailed(f"coc sim: {done.stderr or done.stdout}")
    four = json.loads(done.stdout)
    many = run(calm_plan(seed, MANY, HEIGHTS_OF_MANY))
    return {
        "simulated, 4 validators: messages a block": four["messages"] / four["heights"],
        "simulated, 4 validators: KB a block": four["messageBytes"] / four["heights"] / 1_000,
        f"simulated, {MANY} validators: messages a block": many.messages / many.heights,
        f"simulated, {MANY} validators: KB a block": many.message_bytes / many.heights / 1_000,
        "simulator, 4 validators: times real time": four["virtualSeconds"] / four["seconds"],
    }
