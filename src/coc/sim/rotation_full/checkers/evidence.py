"""Who seals two blocks for one slot is named by whoever takes both (ROT-25)."""

from __future__ import annotations

from coc.consensus.rotation.evidence import DoubleSeal
from coc.node.rotation.effects import RecordBlock
from coc.primitives.types import Hash32
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class DoubleSignersAreNamed(Checker):
    """Looks at the blocks that a node wrote in one life: both seals passed by it."""

    def __init__(self) -> None:
        """Nobody has written or named anything."""
        self.written: dict[tuple[int, int, int], Hash32] = {}
        self.named: dict[tuple[int, int, int], None] = {}

    def on_evidence(self, node: SimRotationNode, evidence: DoubleSeal) -> None:
        """An offence is reported before its second block is written."""
        _, slot = evidence.offence()
        self.named[node.position, node.life, slot] = None

    def on_recorded(self, node: SimRotationNode, wish: RecordBlock) -> None:
        """The first block of a slot, or one of two whose author is named."""
        place = (node.position, node.life, wish.seal.slot)
        first = self.written.setdefault(place, wish.hash)
        if node.is_honest and first != wish.hash and place not in self.named:
            raise Violation(f"evidence: node {node.position} has two blocks of slot {wish.seal.slot}")
