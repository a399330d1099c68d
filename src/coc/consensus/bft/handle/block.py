"""Blocks: bytes have come, a verdict is in, our own is made."""

from __future__ import annotations

from coc.consensus.bft.advance import advance
from coc.consensus.bft.effects import Effect
from coc.consensus.bft.inputs import BlockArrived, Built, Executed
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.state import Core, Sight
from coc.consensus.bft.voting import propose
from coc.primitives.seals import NO_VALID_ROUND
from coc.primitives.types import Millis


def on_block_arrived(core: Core, now_ms: Millis, event: BlockArrived) -> list[Effect]:
    """The bytes of a block are here; it is executed if the height needs it."""
    height = core.height
    if height.sights.get(event.block, Sight.SOUGHT) is not Sight.SOUGHT:
        return []
    height.see(event.block, Sight.HELD)
    return advance(core, now_ms)


def on_executed(core: Core, now_ms: Millis, event: Executed) -> list[Effect]:
    """The verdict on a block; who made it is checked against its original round (BFT-24)."""
    height = core.height
    if height.sights.get(event.block) is not Sight.EXECUTING:
        return []
    facts = event.facts
    is_valid = facts is not None and facts.proposer == height.proposer(facts.original_round)
    if facts is not None and is_valid:
        height.block_facts[event.block] = facts
    height.see(event.block, Sight.VALID if is_valid else Sight.INVALID)
    return advance(core, now_ms)


def on_built(core: Core, now_ms: Millis, event: Built) -> list[Effect]:
    """Propose our new block, if its round is still waiting for it (L17, L19) and nothing better came up."""
    height = core.height
    if event.height != height.facts.height:
        return []
    height.see(event.block, Sight.VALID)
    height.block_facts[event.block] = event.facts
    if event.round != height.round or height.phase is not Phase.PROPOSE:
        return []
    valid = height.valid
    proposed = (
        propose(core, event.block, NO_VALID_ROUND)
        if valid is None
        else propose(core, valid.block, valid.round)
    )
    return [*proposed, *advance(core, now_ms)]
