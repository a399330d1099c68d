"""The decision of a height (L49): a quorum of precommits in any round, and the block at hand."""

from __future__ import annotations

from coc.consensus.bft.certificates import certificate_of
from coc.consensus.bft.effects import Alarm, Decide, Effect
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.state import Core, Sight
from coc.primitives.seals import Step
from coc.primitives.types import Millis


def line_49(core: Core, _now_ms: Millis) -> list[Effect] | None:
    """Decide once a certificate is there and its block is valid (BFT-11)."""
    height = core.height
    if height.certificate is None:
        decided = height.votes.decided()
        if decided is None:
            return None
        round_, block = decided
        height.certificate = certificate_of(
            height.electorate, height.votes.tally(round_, Step.PRECOMMIT, block).votes
        )
    certificate = height.certificate
    match height.sights.get(certificate.block):
        case Sight.VALID:
            height.phase = Phase.DECIDED
            return [Decide(height.facts.height, certificate.block, certificate)]
        case Sight.INVALID if height.once("diverged", 0):
            core.has_diverged = True
            name = certificate.block.hex()
            return [Alarm(f"block {name} is certified, but invalid by our own execution: this node differs")]
        case _:
            return None
