"""No two final blocks at a height, on any nodes, in any of their lives (ROT-21)."""

from __future__ import annotations

from coc.node.rotation.inputs import TagsMoved
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class OneFinalBlockAHeight(Checker):
    """Walks from each new final block down to one that was seen; a hash covers everything below it."""

    def __init__(self) -> None:
        """Nothing is final."""
        self.final_at: dict[int, bytes] = {}

    def on_moved(self, node: SimRotationNode, moved: TagsMoved) -> None:
        """Compare with what was final before."""
        if not node.is_honest:
            return
        at = node.chain.header(moved.tags.final)
        while at is not None:
            known = self.final_at.setdefault(at.number, at.hash)
            if known != at.hash:
                raise Violation(f"agreement: node {node.position} has another final block at {at.number}")
            if at.number == 0 or at.number - 1 in self.final_at:
                return
            at = node.chain.header(at.parent_hash)
