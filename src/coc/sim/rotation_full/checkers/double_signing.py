"""No honest validator signs two blocks for a slot, in any of its lives (ROT-7, ROT-9)."""

from __future__ import annotations

from coc.node.validator.signer import SigningRefused
from coc.primitives.seals import SignRequest
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class NobodySignsTwice(Checker):
    """Looks at what signers sign, so that it sees more than what reaches the network."""

    def __init__(self) -> None:
        """Nobody has signed anything."""
        self.signed: dict[tuple[int, int], SignRequest] = {}

    def on_signed(self, node: SimRotationNode, request: SignRequest) -> None:
        """Compare with what was signed for this slot before."""
        if not node.is_honest:
            return
        if self.signed.setdefault((node.position, request.round), request) != request:
            raise Violation(f"double sign: node {node.position} in slot {request.round}")

    def on_refused(self, node: SimRotationNode, request: SignRequest, error: SigningRefused) -> None:
        """Whoever keeps its records never asks for what the mark forbids; a full disk may stop the mark."""
        if node.is_honest and not node.is_disk_full:
            raise Violation(f"signer: node {node.position} is refused in slot {request.round}: {error.why}")
