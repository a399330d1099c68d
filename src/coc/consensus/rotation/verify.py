"""The rules of a rotation block that are not Ethereum's: consensus data, proposer, seal (ROT-1 to ROT-6).

Blocks of others and our own imports pass through here before they are decided; nothing in it trusts where a
block came from.
"""

from __future__ import annotations

from coc.consensus.rotation.slots import RotationRules
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.errors import ConsensusError, PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.seals import decode_seal
from coc.primitives.types import Address, Hash32, Height


class RotationInvalid(ConsensusError):
    """A block breaks a rule of the rotation engine."""

    id = "COC-ROTATION"


@frozen
class SealedBlock:
    """The facts of a block that the engine's rules speak of. Times in seconds."""

    hash: Hash32
    height: Height
    timestamp_s: int
    beneficiary: Address
    consensus_data: bytes
    seal: bytes


@frozen
class ParentFacts:
    """What the rules need of a block's parent; the seal of block 0 is empty."""

    height: Height
    timestamp_s: int
    seal: bytes
    hash: Hash32


def verify_block(rules: RotationRules, parent: ParentFacts, block: SealedBlock) -> None:
    """Check everything that the engine demands of a block and its seal.

    Raises:
        RotationInvalid: which rule, what was found, what was expected.
        PrimitivesError: consensus data or seal cannot be read.
    """
    slot = verify_data(rules, parent, block)
    seal = decode_seal(block.seal)
    _same("slot of the seal", seal.slot, slot)
    signer = seal.signer(rules.genesis_hash, block.height, block.hash)
    _same("signer", signer, rules.proposer(slot).id)


def verify_data(rules: RotationRules, parent: ParentFacts, block: SealedBlock) -> int:
    """Check all but the seal; the slot that it must be for.

    Raises:
        RotationInvalid: which rule, what was found, what was expected.
        PrimitivesError: consensus data cannot be read.
    """
    data = decode_consensus_data(block.consensus_data)
    slot = rules.slot_at(block.timestamp_s)
    if slot <= rules.slot_at(parent.timestamp_s):
        raise RotationInvalid(f"block {block.height} is in slot {slot}, not after its parent's")
    if len(rules.validators.validators) > 1:  # ROT-4
        _same("timestamp", block.timestamp_s, rules.begins_s(slot))
    proposer = rules.proposer(slot)
    _same("proposer", data.proposer, proposer.id)
    _same("original round", data.original_round, slot)
    _same("fee recipient", block.beneficiary, proposer.fee_recipient)
    _same("validator set", data.validators.hash(), rules.validators.hash())
    _same("next validator set", data.next_validators.hash(), rules.validators.hash())
    _same("VRF proof", data.vrf_proof, b"")
    _same("number of pieces of evidence", len(data.evidence), 0)
    _verify_parent_certificate(rules, parent, data.parent_certificate)
    return slot


def _verify_parent_certificate(rules: RotationRules, parent: ParentFacts, certificate: bytes) -> None:
    """The seal we hold, or any other that the parent's proposer made: a key can sign one thing twice (ROT-5).

    Were only one of them taken, a proposer could part honest nodes by giving each another.
    """
    if certificate == parent.seal:
        return
    if not parent.height:
        _same("parent certificate", certificate, b"")
    try:
        seal = decode_seal(certificate)
    except PrimitivesError as error:
        raise RotationInvalid("the parent certificate is no seal", why=error.what) from error
    slot = rules.slot_at(parent.timestamp_s)
    _same("slot of the parent certificate", seal.slot, slot)
    signer = seal.signer(rules.genesis_hash, parent.height, parent.hash)
    _same("signer of the parent certificate", signer, rules.proposer(slot).id)


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        shown = [value.hex() if isinstance(value, bytes) else str(value) for value in (found, expected)]
        raise RotationInvalid(f"the {what} is {shown[0]}", why=f"the rules make it {shown[1]}")
