"""A proposal: from the proposer of its round, once a round; a second one is evidence."""

from __future__ import annotations

from coc.consensus.bft.advance import advance
from coc.consensus.bft.effects import Effect, Misbehaved
from coc.consensus.bft.handle.authentic import is_authentic, keep_early
from coc.consensus.bft.handle.evidence import report
from coc.consensus.bft.inputs import ProposalReceived
from coc.consensus.bft.state import Core
from coc.primitives.limits_consensus import ROUNDS_KEPT_MAX
from coc.primitives.types import Millis
from coc.primitives.votes import Proposal


def on_proposal(core: Core, now_ms: Millis, event: ProposalReceived) -> list[Effect]:
    """Keep a proposal of this height, or of the next one for later."""
    proposal, height = event.proposal, core.height
    if proposal.height == height.facts.height + 1:
        return keep_early(core, event.peer, proposal)
    if proposal.height != height.facts.height or proposal.round < height.votes.floor:
        return []
    if height.proposals.get(proposal.round) == proposal:
        return []
    if not 0 <= proposal.valid_round + 1 <= proposal.round:
        return [Misbehaved(event.peer, "a proposal's valid round is not below its round")]
    if proposal.round > height.round + ROUNDS_KEPT_MAX:
        return []
    if proposal.validator != height.proposer(proposal.round):
        return [Misbehaved(event.peer, "a proposal of somebody who is not its round's proposer")]
    if not is_authentic(core, proposal):
        return [Misbehaved(event.peer, "a proposal with a wrong signature")]
    return [*take_proposal(core, proposal), *advance(core, now_ms)]


def take_proposal(core: Core, proposal: Proposal) -> list[Effect]:
    """Take in an authentic proposal of this height (BFT-5)."""
    height = core.height
    index = height.electorate.position(proposal.validator)
    if index is None or proposal.validator != height.proposer(proposal.round):
        return []
    height.votes.hear(index, proposal.round)
    known = height.proposals.setdefault(proposal.round, proposal)
    return [] if known == proposal else report(core, known, proposal)
