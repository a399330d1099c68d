"""Who signs twice, and is caught, is convicted by the chain on every node alike; nobody honest ever is."""

from __future__ import annotations

from collections.abc import Sequence

from coc.primitives.types import Address, Hash32, Height
from coc.primitives.votes import Evidence
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class DoubleSignersAreConvicted(Checker):
    """Remembers who was caught at which height, until the chain has judged it."""

    def __init__(self) -> None:
        """Nobody was caught."""
        self.caught: dict[tuple[Address, Height], None] = {}
        self._asked_at: list[bytes] = []

    def on_evidence(self, node: SimValidator, evidence: Evidence) -> None:
        """The offender is no honest validator."""
        if not node.is_honest:
            return
        honest = {other.address for other in (node, *node.others) if other.is_honest}
        if evidence.offender in honest:
            raise Violation(f"conviction: node {node.position} has evidence against an honest validator")
        self.caught[evidence.offender, evidence.first.height] = None

    def are_judged(self, nodes: Sequence[SimValidator]) -> bool:
        """Whether no node's state can still convict anybody of what he was caught at.

        Asked after every event until it says yes: on the same heads the answer is the same.
        """
        heads = [node.chain.head.hash for node in nodes]
        if heads == self._asked_at:
            return False
        self._asked_at = heads
        return all(
            not node.sets.can_convict(Hash32(head), offender, height)
            for node, head in zip(nodes, heads, strict=True)
            for offender, height in self.caught
        )
