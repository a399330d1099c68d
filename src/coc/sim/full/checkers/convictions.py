"""Who signs twice, and is caught, is convicted by the chain on every node alike; nobody honest ever is."""

from __future__ import annotations

from collections.abc import Sequence

from coc.primitives.types import Address, Height
from coc.primitives.votes import Evidence
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class DoubleSignersAreConvicted(Checker):
    """Remembers who was caught at which height, until the chain has judged it."""

    def __init__(self) -> None:
        """Nobody was caught."""
        self.caught: dict[tuple[Address, Height], None] = {}

    def on_evidence(self, node: SimValidator, evidence: Evidence) -> None:
        """The offender is no honest validator."""
        if not node.is_honest:
            return
        honest = {other.address for other in (node, *node.others) if other.is_honest}
        if evidence.offender in honest:
            raise Violation(f"conviction: node {node.position} has evidence against an honest validator")
        self.caught[evidence.offender, evidence.first.height] = None

    def are_judged(self, nodes: Sequence[SimValidator]) -> bool:
        """Whether no node's state can still convict anybody of what he was caught at."""
        return all(
            not node.sets.can_convict(node.door.pool_head().hash, offender, height)
            for node in nodes
            for offender, height in self.caught
        )
