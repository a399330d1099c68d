"""Which blocks the height needs, how they get here, and whether one may be prevoted.

A block is sought when a proposal of the current round, a quorum of votes or a certificate names it; it is
executed once its bytes are here (BFT-17, BFT-18).
"""

from __future__ import annotations

from coc.consensus.bft import locking
from coc.consensus.bft.effects import Effect, Execute, Fetch
from coc.consensus.bft.state import Core, HeightState, Sight
from coc.primitives.seals import NO_VALID_ROUND, Step
from coc.primitives.types import Hash32, Millis
from coc.primitives.votes import Proposal


def seek(core: Core, _now_ms: Millis) -> list[Effect] | None:
    """Fetch or execute a needed block for which that has not been asked yet."""
    height = core.height
    for block in _needed(height):
        sight = height.sights.get(block)
        if sight is None:
            height.see(block, Sight.SOUGHT)
            return [fetch(core, block)]
        if sight is Sight.HELD:
            height.see(block, Sight.EXECUTING)
            return [Execute(height.facts.height, block)]
    return None


def fetch(core: Core, block: Hash32) -> Fetch:
    """Ask for the bytes, first of all those who say that they hold them."""
    holders = [
        identity
        for identity, peer in core.peers.items()
        if peer.status is not None and block in peer.status.blocks
    ]
    return Fetch(block, tuple(holders))


def is_here(height: HeightState, block: Hash32) -> bool:
    """Whether the bytes of a block are held."""
    sight = height.sights.get(block)
    return sight is not None and sight.is_here


def is_complete(height: HeightState, proposal: Proposal) -> bool:
    """Whether nothing but execution stands between a proposal and the prevote (BFT-14)."""
    return is_here(height, proposal.block) and locking.has_proof_of_lock(height.votes, proposal)


def is_sound(core: Core, proposal: Proposal, now_ms: Millis) -> bool:
    """Whether the proposed block, already executed, may be prevoted, locks apart (BFT-19)."""
    height = core.height
    facts = height.block_facts.get(proposal.block)
    if height.sights.get(proposal.block) is not Sight.VALID or facts is None:
        return False
    if not locking.keeps_original_round(proposal, facts.original_round):
        return False
    is_new = proposal.valid_round == NO_VALID_ROUND
    return not is_new or facts.time_ms <= now_ms + core.setup.rules.clock_tolerance_ms


def _needed(height: HeightState) -> list[Hash32]:
    needed: list[Hash32] = []
    if height.certificate is not None:
        needed.append(height.certificate.block)
    polka = height.votes.block_with_quorum(height.round, Step.PREVOTE)
    if polka is not None:
        needed.append(polka)
    proposal = height.proposals.get(height.round)
    if proposal is not None and proposal.block != polka:
        needed.append(proposal.block)
    return needed
