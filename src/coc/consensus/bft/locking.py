"""The conditions that make two decisions at one height impossible; each is one function."""

from __future__ import annotations

from coc.consensus.bft.ledger import VoteLedger
from coc.consensus.bft.rules import Lock
from coc.primitives.seals import NO_VALID_ROUND, Step
from coc.primitives.types import Hash32
from coc.primitives.votes import Proposal


def may_prevote(locked: Lock | None, proposal: Proposal) -> bool:
    """Whether the lock allows a prevote for the proposed block (L23, L29)."""
    if locked is None or locked.block == proposal.block:
        return True
    return proposal.valid_round != NO_VALID_ROUND and locked.round <= proposal.valid_round


def has_proof_of_lock(votes: VoteLedger, proposal: Proposal) -> bool:
    """Whether the claimed valid round is proven by a quorum of prevotes that we hold (L28)."""
    if proposal.valid_round == NO_VALID_ROUND:
        return True
    return votes.has_quorum(proposal.valid_round, Step.PREVOTE, proposal.block)


def keeps_original_round(proposal: Proposal, original_round: int) -> bool:
    """Whether the block was made for this round, or for one that its proof of lock covers (BFT-24)."""
    if proposal.valid_round == NO_VALID_ROUND:
        return original_round == proposal.round
    return original_round <= proposal.valid_round


def locked_on(round_: int, block: Hash32) -> Lock | None:
    """The lock that a quorum of prevotes brings (L38, L39)."""
    return Lock(round_, block)
