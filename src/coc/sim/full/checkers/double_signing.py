"""No honest validator signs two messages for one place, in any of its lives."""

from __future__ import annotations

from coc.primitives.seals import Step
from coc.primitives.types import Address, Height
from coc.primitives.votes import Proposal, Signed, step_of
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation

Place = tuple[Address, Height, int, Step]


class NobodySignsTwice(Checker):
    """Looks at every message on its way, so that it sees what any life has signed."""

    def __init__(self) -> None:
        """Nobody has signed anything."""
        self.signed: dict[Place, object] = {}

    def on_signed(self, node: SimValidator, message: Signed) -> None:
        """Compare with what was signed for this place before."""
        if message.validator != node.address or not node.is_honest:
            return
        place = (message.validator, message.height, message.round, step_of(message))
        content = (message.block, message.valid_round) if isinstance(message, Proposal) else message.block
        if self.signed.setdefault(place, content) != content:
            raise Violation(f"double sign: node {node.position} at {place[1:]}")
