"""Nobody has a head of the future: what lies ahead of a node's clock is held (ROT-15)."""

from __future__ import annotations

from coc.node.rotation.inputs import TagsMoved
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class HeadsAreOfThePresent(Checker):
    """The clock of a node never runs backwards in a run, so a head of its past stays one."""

    def on_moved(self, node: SimRotationNode, moved: TagsMoved) -> None:
        """The slot of the head has begun."""
        head = node.chain.header(moved.tags.head)
        is_later = head is not None and head.number and head.timestamp > node.now_ms // 1000
        if node.is_honest and is_later:
            raise Violation(f"future: node {node.position} has a head of a slot that has not begun")
