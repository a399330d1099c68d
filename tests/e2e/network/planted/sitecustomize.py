"""Found by a node's interpreter at its start: it refuses a block until a file is there, as if ill.

Or it serves the states of other heights, so that a network need not be old for a snapshot.
"""

from __future__ import annotations

import os
from pathlib import Path

from coc.consensus.bft.rules import BlockFacts
from coc.consensus.sync.messages import BlockBody
from coc.consensus.sync.snapshot import way
from coc.node.validator.chain_door import ChainDoor
from coc.primitives.limits_snapshot import SNAPSHOT_INTERVAL_BLOCKS

HEIGHT = int(os.environ.get("COC_TEST_DIFFERS_AT", "0"))
UNTIL = Path(os.environ.get("COC_TEST_DIFFERS_UNTIL", os.devnull))
INTERVAL = int(os.environ.get("COC_TEST_SNAPSHOT_INTERVAL", SNAPSHOT_INTERVAL_BLOCKS))

sound = ChainDoor.execute


def execute(door: ChainDoor, body: BlockBody) -> BlockFacts | None:
    """What the node executes, but for that block."""
    found = door.check(body)
    if found is not None and found[1] == HEIGHT and not UNTIL.exists():
        return None
    return sound(door, body)


vars(way)["SNAPSHOT_INTERVAL_BLOCKS"] = INTERVAL
ChainDoor.execute = execute  # type: ignore[method-assign,assignment]  # that is what is planted
