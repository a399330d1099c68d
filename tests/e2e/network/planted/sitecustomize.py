"""Found by the interpreter of one node at its start: it refuses a block until a file is there, as if ill."""

from __future__ import annotations

import os
from pathlib import Path

from coc.consensus.bft.rules import BlockFacts
from coc.consensus.sync.messages import BlockBody
from coc.node.validator.chain_door import ChainDoor

HEIGHT = int(os.environ.get("COC_TEST_DIFFERS_AT", "0"))
UNTIL = Path(os.environ.get("COC_TEST_DIFFERS_UNTIL", os.devnull))

sound = ChainDoor.execute


def execute(door: ChainDoor, body: BlockBody) -> BlockFacts | None:
    """What the node executes, but for that block."""
    found = door.check(body)
    if found is not None and found[1] == HEIGHT and not UNTIL.exists():
        return None
    return sound(door, body)


ChainDoor.execute = execute  # type: ignore[method-assign,assignment]  # that is what is planted
