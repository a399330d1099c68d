"""Nobody honest is accused of misbehaviour, however bad the network is."""

from __future__ import annotations

from coc.node.validator.effects import Misbehaved
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class NobodyHonestIsAccused(Checker):
    """An accusation costs a peer its reputation, so a false one can split a healthy network."""

    def on_accused(self, node: SimValidator, effect: Misbehaved) -> None:
        """Every peer of a run without liars is honest."""
        if not node.world.plan.liars:
            raise Violation(f"accusation: node {node.position} accuses an honest peer: {effect.reason}")
