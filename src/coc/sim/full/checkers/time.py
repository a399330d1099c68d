"""No block is decided whose time nobody has yet: the tolerance is a rule for voting (BFT-19)."""

from __future__ import annotations

from coc.primitives.votes import CommitCertificate
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation
from coc.sim.full.world import BASE_MS


class TimeIsNearTheClocks(Checker):
    """Compares with the furthest clock that an honest validator has."""

    def on_decided(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """More than a third must have found the block's time near enough."""
        skew_ms = max([0, *(other.world.plan.skew_of(other.position) for other in (node, *node.others))])
        latest_ms = BASE_MS + node.world.now_ms + skew_ms + node.birth.rules.clock_tolerance_ms
        if node.chain.head.timestamp * 1000 > latest_ms:
            raise Violation(f"time: block {certificate.height} lies ahead of every clock")
