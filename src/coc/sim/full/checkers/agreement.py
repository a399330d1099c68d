"""No two final blocks at a height, on any nodes, in any of their lives."""

from __future__ import annotations

from coc.primitives.types import Hash32, Height
from coc.primitives.votes import CommitCertificate
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class OneBlockAHeight(Checker):
    """A hash covers the state root, so equal blocks are equal states too."""

    def __init__(self) -> None:
        """Nothing is decided."""
        self.decided: dict[Height, Hash32] = {}
        self.rounds: dict[Height, int] = {}

    def on_decided(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """Compare with what was decided before."""
        known = self.decided.setdefault(certificate.height, certificate.block)
        if known != certificate.block:
            raise Violation(f"agreement: node {node.position} has another block at {certificate.height}")
        self.rounds[certificate.height] = max(certificate.round, self.rounds.get(certificate.height, 0))

    def on_adopted(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """A block that a peer gave is decided like any other."""
        known = self.decided.setdefault(certificate.height, certificate.block)
        if known != certificate.block:
            raise Violation(f"agreement: node {node.position} adopts another block at {certificate.height}")
