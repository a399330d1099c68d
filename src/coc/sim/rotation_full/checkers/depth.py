"""A block is final only deep under the head, and under the signatures of more than two thirds (ROT-21)."""

from __future__ import annotations

from coc.node.rotation.inputs import TagsMoved
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.types import Hash32
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class FinalBlocksAreDeep(Checker):
    """Counts again, on the chain itself and by the proposers that the blocks name."""

    def __init__(self) -> None:
        """Nobody has a final block."""
        self.newest: dict[int, Hash32] = {}

    def on_start(self, node: SimRotationNode) -> None:
        """What was final in an earlier life may be the head of this one."""
        self.newest[node.position] = Hash32(node.chain.finalized.hash)

    def on_moved(self, node: SimRotationNode, moved: TagsMoved) -> None:
        """Look at each new final block once."""
        final = moved.tags.final
        if not node.is_honest or self.newest[node.position] == final:
            return
        self.newest[node.position] = final
        signers: set[bytes] = set()
        depth = 0
        at = node.chain.head
        while at.hash != final:
            depth += 1
            signers.add(decode_consensus_data(at.consensus_data).proposer)
            below = node.chain.header(at.parent_hash)
            if below is None:
                raise Violation(f"depth: the head of node {node.position} does not stand on its final block")
            at = below
        rules = node.birth.rules
        if depth < rules.final_depth:
            raise Violation(f"depth: node {node.position} has a final block under {depth} blocks")
        if 3 * len(signers) <= 2 * len(rules.slots.validators.validators):
            raise Violation(
                f"signers: node {node.position} has a final block that {len(signers)} signed upon"
            )
