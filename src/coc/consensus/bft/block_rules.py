"""What the consensus data of a BFT block must say, beside Ethereum's rules: checked after its execution.

A function of the block, its parent and the parent's state alone, so every node judges alike, whether it votes
on the block, catches up or imports it.
"""

from __future__ import annotations

from collections.abc import Callable

from coc.consensus.bft.certificates import CertificateInvalid, verify_certificate
from coc.consensus.bft.power import Electorate
from coc.consensus.bft.proposers import proposer_of
from coc.consensus.bft.rules import BlockFacts, HeightFacts, Verifier
from coc.primitives.consensus_data import ConsensusData, decode_consensus_data
from coc.primitives.errors import ConsensusError, PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import SignatureInvalid
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import Evidence, decode_certificate
from coc.primitives.vrf import VrfInvalid, VrfProof
from coc.primitives.vrf import verify as verify_randomness

HEIGHT_BYTES = 8


class BftBlockInvalid(ConsensusError):
    """A block breaks a rule of the BFT engine."""

    id = "COC-BFT-BLOCK"


@frozen
class ProposedBlock:
    """What the rules speak of. `consensus_data` is what the header's root covers."""

    hash: Hash32
    height: Height
    timestamp_s: int
    beneficiary: Address
    consensus_data: bytes


@frozen
class BlockContext:
    """The parent as the rules see it.

    `facts` are those of the block's height; `parent_validators` is set(h - 1), None for block 1;
    `can_convict` asks the parent's state whether evidence against a validator at a height still counts.
    """

    facts: HeightFacts
    parent_validators: ValidatorSet | None
    parent_randomness: Hash32
    can_convict: Callable[[Address, Height], bool]


def randomness_input(parent_randomness: Hash32, height: Height) -> bytes:
    """What the proposer's VRF proof is over: parent randomness ‖ height (BFT-37)."""
    return parent_randomness + height.to_bytes(HEIGHT_BYTES, "big")


def verify_bft_block(
    block: ProposedBlock, context: BlockContext, genesis_hash: Hash32, verify: Verifier
) -> BlockFacts:
    """Check everything that the engine demands of an executed block.

    Raises:
        BftBlockInvalid: which rule, what was found, what was expected.
        PrimitivesError: a part of the consensus data cannot be read.
    """
    data = decode_consensus_data(block.consensus_data)
    facts = context.facts
    _same("validator set", data.validators.hash(), facts.validators.hash())
    _same("next validator set", data.next_validators.hash(), facts.next_validators.hash())
    proposer = proposer_of(facts.validators, facts.skipped, facts.height, data.original_round)
    _same("proposer", data.proposer, proposer.id)
    _same("fee recipient", block.beneficiary, proposer.fee_recipient)
    _check_parent_certificate(data, context, genesis_hash, verify)
    try:
        alpha = randomness_input(context.parent_randomness, facts.height)
        verify_randomness(proposer.consensus_key, alpha, VrfProof(data.vrf_proof))
    except VrfInvalid as error:
        raise BftBlockInvalid("the VRF proof is not the proposer's", why=error.what) from error
    _check_evidence(data.evidence, context, genesis_hash, verify)
    return BlockFacts(data.original_round, data.proposer, block.timestamp_s * 1000)


def _check_parent_certificate(
    data: ConsensusData, context: BlockContext, genesis_hash: Hash32, verify: Verifier
) -> None:
    """Any valid certificate of the parent will do (BFT-38)."""
    facts = context.facts
    if context.parent_validators is None:
        if data.parent_certificate:
            raise BftBlockInvalid("block 1 has a parent certificate, and nobody certified the genesis")
        return
    certificate = decode_certificate(data.parent_certificate)
    _same("height of the parent certificate", certificate.height, facts.height - 1)
    _same("block of the parent certificate", certificate.block, facts.parent)
    try:
        verify_certificate(certificate, genesis_hash, Electorate.of(context.parent_validators), verify)
    except CertificateInvalid as error:
        raise BftBlockInvalid("the parent certificate proves nothing", why=str(error)) from error


def _check_evidence(
    evidence: tuple[Evidence, ...], context: BlockContext, genesis_hash: Hash32, verify: Verifier
) -> None:
    """Each piece convicts somebody whom the parent's state can still convict, once (BFT-39)."""
    seen = set()
    for piece in evidence:
        offence = piece.offence()
        if offence in seen:
            raise BftBlockInvalid("evidence of one offence is there twice")
        seen.add(offence)
        if piece.first.height >= context.facts.height:
            raise BftBlockInvalid(f"evidence of height {piece.first.height} lies ahead of its block")
        if not context.can_convict(piece.offender, piece.first.height):
            raise BftBlockInvalid(
                f"evidence against 0x{piece.offender.hex()} at {piece.first.height} convicts nobody"
            )
        for message in (piece.first, piece.second):
            if not _is_signed(message.request(genesis_hash).digest(), message.signature, piece, verify):
                raise BftBlockInvalid("evidence holds a message that the accused did not sign")


def _is_signed(digest: Hash32, signature: bytes, piece: Evidence, verify: Verifier) -> bool:
    try:
        return verify(digest, signature) == piece.offender  # type: ignore[arg-type]  # 65 bytes, read so
    except (SignatureInvalid, PrimitivesError):
        return False


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise BftBlockInvalid(f"the {what} is {_text(found)}, expected {_text(expected)}")


def _text(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
