"""Nobody honest is accused or named, however bad the network is."""

from __future__ import annotations

from coc.consensus.rotation.evidence import DoubleSeal
from coc.node.validator.effects import Misbehaved
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class NobodyHonestIsAccused(Checker):
    """An accusation costs a peer its reputation; evidence costs a validator its name (ROT-25, ROT-26)."""

    def on_accused(self, node: SimRotationNode, effect: Misbehaved) -> None:
        """The accused is no honest node; what a liar says of others is worth nothing."""
        accused = next((other for other in node.others if other.peer == effect.peer), None)
        if node.is_honest and accused is not None and accused.is_honest:
            raise Violation(
                f"accusation: node {node.position} accuses honest {accused.position}: {effect.reason}"
            )

    def on_evidence(self, node: SimRotationNode, evidence: DoubleSeal) -> None:
        """The offender is no honest validator."""
        offender, slot = evidence.offence()
        honest = {other.address for other in (node, *node.others) if other.is_honest}
        if node.is_honest and offender in honest:
            raise Violation(f"evidence: node {node.position} names an honest validator in slot {slot}")
