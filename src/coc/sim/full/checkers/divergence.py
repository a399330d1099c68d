"""No honest node believes that it differs from all others: they run the same code on the same blocks."""

from __future__ import annotations

from coc.node.validator.effects import Alarm
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class NobodyBelievesToDiffer(Checker):
    """A node that cries wolf about its own state makes its operator wipe it."""

    def on_alarm(self, node: SimValidator, effect: Alarm) -> None:
        """Everything else that a node calls a person for may happen: full disks, refused signatures."""
        if node.is_honest and "differs" in effect.reason:
            raise Violation(f"divergence: node {node.position}: {effect.reason}")
