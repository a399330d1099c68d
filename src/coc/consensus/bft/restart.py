"""A height from its records: where a validator was when it stopped (BFT-21 to BFT-23)."""

from __future__ import annotations

from coc.consensus.bft.effects import Effect
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.outbox import Outgoing
from coc.consensus.bft.state import Core, HeightState, Sight
from coc.consensus.bft.wal import (
    BlockKept,
    EvidenceKept,
    Intent,
    ProposalKept,
    Record,
    VoteKept,
    height_of,
)
from coc.primitives.seals import Step
from coc.primitives.votes import Signed, step_of

_PHASE_AFTER = {
    Step.PROPOSAL: Phase.PROPOSE,
    Step.PREVOTE: Phase.PREVOTE,
    Step.PRECOMMIT: Phase.PRECOMMIT,
}


def restore(core: Core, records: tuple[Record, ...]) -> list[Effect]:
    """Take up round, step, lock, valid value, blocks, proposals and votes; ask again for the last intent.

    Records of other heights are left out, but for evidence (BFT-45). Whatever was signed is trusted: we wrote
    it ourselves.
    """
    height = core.height
    last: Intent | None = None
    unsigned = False
    for record in records:
        if height_of(record) not in (height.facts.height, None):
            continue
        match record:
            case EvidenceKept():
                for piece in record.pieces:
                    core.evidence.add(piece)
            case Intent():
                _restore_intent(height, record)
                last, unsigned = record, True
            case BlockKept():
                height.kept.add(record.block)
                height.see(record.block, Sight.HELD)
            case ProposalKept():
                height.proposals[record.proposal.round] = record.proposal
                unsigned = unsigned and not _completes(last, record.proposal)
            case VoteKept():
                index = height.electorate.position(record.vote.validator)
                if index is not None:
                    height.votes.add(index, record.vote, height.round)
                unsigned = unsigned and not _completes(last, record.vote)
    if last is not None and unsigned and core.own_position is not None:
        return core.outbox.resume(Outgoing(last))
    return []


def _restore_intent(height: HeightState, intent: Intent) -> None:
    request = intent.request
    height.round, height.phase = request.round, _PHASE_AFTER[request.step]
    height.intended.add((request.round, request.step))
    height.locked, height.valid = intent.locked, intent.valid
    if request.step is Step.PRECOMMIT and request.block is not None:
        height.once("L36", request.round)


def _completes(intent: Intent | None, message: Signed) -> bool:
    """Whether a record holds what the intent announced."""
    if intent is None:
        return False
    request = intent.request
    return (message.round, step_of(message), message.block) == (request.round, request.step, request.block)
