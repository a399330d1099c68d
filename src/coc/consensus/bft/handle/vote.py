"""A vote: counted once found authentic; a second one for another value is evidence as well."""

from __future__ import annotations

from coc.consensus.bft.advance import advance_after_vote
from coc.consensus.bft.effects import Effect, Misbehaved
from coc.consensus.bft.handle.authentic import is_authentic, keep_early
from coc.consensus.bft.handle.evidence import report
from coc.consensus.bft.inputs import VoteReceived
from coc.consensus.bft.state import Core
from coc.primitives.seals import Step
from coc.primitives.types import Millis
from coc.primitives.votes import Vote


def on_vote(core: Core, now_ms: Millis, event: VoteReceived) -> list[Effect]:
    """Count a vote of this height, keep one of the next, complete the last certificate with one before."""
    vote, height = event.vote, core.height
    if vote.height == height.facts.height + 1:
        return keep_early(core, event.peer, vote)
    if core.last is not None and vote.height == core.last.height:
        return _complete_last(core, vote)
    if vote.height != height.facts.height or vote.round < height.votes.floor:
        return []
    index = height.electorate.position(vote.validator)
    if index is None:
        return [Misbehaved(event.peer, "a vote of somebody who is no validator")]
    if height.votes.holds(index, vote):
        return []
    if not is_authentic(core, vote):
        return [Misbehaved(event.peer, "a vote with a wrong signature")]
    return [*take_vote(core, vote), *advance_after_vote(core, now_ms)]


def take_vote(core: Core, vote: Vote) -> list[Effect]:
    """Count an authentic vote of this height."""
    height = core.height
    index = height.electorate.position(vote.validator)
    if index is None:
        return []
    rival = height.votes.rival(index, vote)
    if height.votes.add(index, vote, height.round):
        core.vote_count.add(vote)
    return [] if rival is None else report(core, rival, vote)


def _complete_last(core: Core, vote: Vote) -> list[Effect]:
    """A late precommit makes the certificate of the last height fuller (BFT-27)."""
    last = core.last
    if last is None or vote.step is not Step.PRECOMMIT:
        return []
    index = last.electorate.position(vote.validator)
    is_for_it = (vote.round, vote.block) == (last.round, last.block)
    if index is not None and is_for_it and index not in last.signatures and is_authentic(core, vote):
        last.add(index, vote.signature)
        core.vote_count.add(vote)
    return []
