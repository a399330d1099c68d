"""Own prevotes, precommits and proposals: each place is signed for once, with what must be durable first."""

from __future__ import annotations

from coc.consensus.bft.effects import Effect
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.outbox import Outgoing
from coc.consensus.bft.state import Core
from coc.consensus.bft.wal import BlockKept, EvidenceKept, Intent, ProposalKept, Record, VoteKept
from coc.primitives.limits_consensus import EVIDENCE_KEPT_ITEMS_MAX
from coc.primitives.seals import NO_VALID_ROUND, SignRequest, Step
from coc.primitives.types import Hash32


def prevote(core: Core, block: Hash32 | None) -> list[Effect]:
    """Prevote in the current round (L24 to L26, L30 to L32, L58)."""
    height = core.height
    height.phase = Phase.PREVOTE
    needs: list[Record] = []
    if block is not None:
        needs += _keep_block(core, block)
        proposal = height.proposals[height.round]
        if proposal.validator != core.setup.own:
            needs.append(ProposalKept(proposal))
    return _intend(core, Step.PREVOTE, block, needs)


def precommit(core: Core, block: Hash32 | None) -> list[Effect]:
    """Precommit in the current round (L40, L45, L62)."""
    height = core.height
    height.phase = Phase.PRECOMMIT
    needs: list[Record] = []
    if block is not None:
        needs += [*_keep_block(core, block), *_proof_of_lock(core, height.round, block)]
    return _intend(core, Step.PRECOMMIT, block, needs)


def propose(core: Core, block: Hash32, valid_round: int) -> list[Effect]:
    """Propose in the current round (L19)."""
    needs = _keep_block(core, block)
    if valid_round != NO_VALID_ROUND:
        needs += _proof_of_lock(core, valid_round, block)
    return _intend(core, Step.PROPOSAL, block, needs, valid_round)


def _intend(
    core: Core,
    step: Step,
    block: Hash32 | None,
    needs: list[Record],
    valid_round: int = NO_VALID_ROUND,
) -> list[Effect]:
    """Send a message on its way, unless we are no validator, are silent, or have spoken at this place."""
    height = core.height
    place = (height.round, step)
    if core.own_position is None or core.is_silent or place in height.intended:
        return []
    height.intended.add(place)
    request = SignRequest(
        core.setup.rules.genesis_hash, height.facts.height, height.round, step, block, valid_round
    )
    records = (*_evidence(core), *needs)
    return core.outbox.put(Outgoing(Intent(request, height.locked, height.valid), records))


def _keep_block(core: Core, block: Hash32) -> list[Record]:
    height = core.height
    if block in height.kept:
        return []
    height.kept.add(block)
    return [BlockKept(height.facts.height, block)]


def _evidence(core: Core) -> list[Record]:
    """All that waits, with every intent: earlier records that hold it may go with their height (BFT-45)."""
    pieces = core.evidence.pending()[:EVIDENCE_KEPT_ITEMS_MAX]
    return [EvidenceKept(pieces)] if pieces else []


def _proof_of_lock(core: Core, round_: int, block: Hash32) -> list[Record]:
    """The prevotes of others that locked us, so that they survive us (BFT-21)."""
    height = core.height
    if not height.once("kept proof", round_):
        return []
    votes = height.votes.tally(round_, Step.PREVOTE, block).votes
    return [VoteKept(vote) for _, vote in sorted(votes.items()) if vote.validator != core.setup.own]
