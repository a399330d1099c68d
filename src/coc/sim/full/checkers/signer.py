"""An honest machine never asks its signer for what the signer must refuse, but for a disk that is full."""

from __future__ import annotations

from coc.node.validator.signer import SigningRefused
from coc.primitives.seals import SignRequest
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class SignerIsNeverAskedTwice(Checker):
    """The mark is the last line of defence, not the first."""

    def on_refused(self, node: SimValidator, request: SignRequest, error: SigningRefused) -> None:
        """A refusal for the mark's sake means that the machine forgot."""
        if error.cure or not node.is_honest:
            return  # the mark could not be written, or a twin was refused
        where = (request.height, request.round, request.step.name)
        raise Violation(f"signer: node {node.position} asked for {where}: {error.why}")
