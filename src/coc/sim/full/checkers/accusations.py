"""Nobody honest is accused of misbehaviour, however bad the network is."""

from __future__ import annotations

from coc.node.validator.effects import Misbehaved
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class NobodyHonestIsAccused(Checker):
    """An accusation costs a peer its reputation, so a false one can split a healthy network."""

    def on_accused(self, node: SimValidator, effect: Misbehaved) -> None:
        """The accused is honest; what a liar says of others is worth nothing."""
        accused = next((other for other in node.others if other.peer == effect.peer), None)
        if node.is_honest and accused is not None and accused.is_honest:
            raise Violation(
                f"accusation: node {node.position} accuses honest {accused.position}: {effect.reason}"
            )
