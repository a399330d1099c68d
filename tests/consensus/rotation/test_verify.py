"""The engine's rules for a block, each broken alone; on real chains they are tested in `tests/adapters`."""

from __future__ import annotations

from typing import Any

import pytest

from coc.consensus.rotation.slots import RotationRules
from coc.consensus.rotation.verify import ParentFacts, RotationInvalid, SealedBlock, verify_block
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import replace
from coc.primitives.seals import Seal, SignRequest, Step
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, sign
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.validators import Validator, ValidatorSet

SECRETS = [Secret(bytes([number]) * 32) for number in (1, 2)]
BLOCK = Hash32(b"\xbb" * 32)
RECIPIENT = Address(b"\x77" * 20)


def validator(secret: Secret) -> Validator:
    key = public_key_of(secret)
    return Validator(address_of(secret), key, key, 1, RECIPIENT)


SET = ValidatorSet(tuple(validator(secret) for secret in SECRETS))
RULES = RotationRules(Hash32(b"\x11" * 32), 1_000, 5, SET)
PARENT_HASH = Hash32(b"\xaa" * 32)
PARENT = ParentFacts(Height(8), 1_010, b"parent's seal", PARENT_HASH)
GOOD_DATA = ConsensusData(PARENT.seal, SET.validators[1].id, 3, SET, SET)


def sealed(secret: Secret, slot: int, step: Step = Step.PROPOSAL, height: int = 9) -> bytes:
    request = SignRequest(RULES.genesis_hash, Height(height), slot, step, BLOCK)
    return Seal(slot, sign(secret, request.digest())).encode()


GOOD = SealedBlock(BLOCK, Height(9), 1_015, RECIPIENT, GOOD_DATA.encode(), sealed(SECRETS[1], 3))


def test_a_block_by_the_slots_proposer_passes() -> None:
    verify_block(RULES, PARENT, GOOD)


def test_a_validator_may_not_propose_in_anothers_slot() -> None:
    data = replace(GOOD_DATA, proposer=SET.validators[0].id).encode()
    with pytest.raises(RotationInvalid, match="proposer"):
        verify_block(RULES, PARENT, replace(GOOD, consensus_data=data, seal=sealed(SECRETS[0], 3)))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"timestamp_s": 1_014}, "slot 2"),
        ({"timestamp_s": 1_025}, "original round"),
        ({"timestamp_s": 1_020}, "proposer"),
        ({"beneficiary": Address(bytes(20))}, "fee recipient"),
        ({"hash": Hash32(bytes(32))}, "signer"),
        ({"height": Height(10)}, "signer"),
        ({"seal": sealed(SECRETS[0], 3)}, "signer"),
        ({"seal": sealed(SECRETS[1], 5)}, "slot of the seal"),
        ({"seal": sealed(SECRETS[1], 3, Step.PRECOMMIT)}, "signer"),
        ({"seal": sealed(SECRETS[1], 3, height=10)}, "signer"),
    ],
)
def test_a_block_that_breaks_one_rule_is_refused_with_its_name(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(RotationInvalid, match=says):
        verify_block(RULES, PARENT, replace(GOOD, **changed))


@pytest.mark.parametrize("junk", [b"", b"\x80", b"\xc0", b"\xc2\x80\x80", b"\xff" * 9])
def test_junk_for_seal_or_consensus_data_is_refused_as_malformed(junk: bytes) -> None:
    for bad in (replace(GOOD, seal=junk), replace(GOOD, consensus_data=junk)):
        with pytest.raises(PrimitivesError):
            verify_block(RULES, PARENT, bad)


def test_among_several_a_blocks_time_is_the_first_second_of_its_slot() -> None:  # ROT-4
    with pytest.raises(RotationInvalid, match="timestamp"):
        verify_block(RULES, PARENT, replace(GOOD, timestamp_s=1_016))


def parent_seal(secret: Secret, slot: int = 2, block: Hash32 = PARENT_HASH) -> bytes:
    request = SignRequest(RULES.genesis_hash, Height(8), slot, Step.PROPOSAL, block)
    return Seal(slot, sign(secret, request.digest())).encode()


def test_any_seal_that_the_parents_proposer_made_will_do() -> None:  # ROT-5
    data = replace(GOOD_DATA, parent_certificate=parent_seal(SECRETS[0])).encode()

    verify_block(RULES, PARENT, replace(GOOD, consensus_data=data))


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        (parent_seal(SECRETS[1]), "signer of the parent certificate"),
        (b"\x01", "parent certificate is no seal"),
        (parent_seal(SECRETS[0], slot=4), "slot of the parent certificate"),
        (parent_seal(SECRETS[0], block=BLOCK), "signer of the parent certificate"),
    ],
)
def test_a_seal_of_something_else_is_no_parent_certificate(certificate: bytes, says: str) -> None:  # ROT-5
    data = replace(GOOD_DATA, parent_certificate=certificate).encode()
    with pytest.raises(RotationInvalid, match=says):
        verify_block(RULES, PARENT, replace(GOOD, consensus_data=data))


def test_the_first_block_holds_no_parent_certificate() -> None:  # ROT-5
    genesis = ParentFacts(Height(0), 1_010, b"", RULES.genesis_hash)
    with pytest.raises(RotationInvalid, match="parent certificate"):
        verify_block(RULES, genesis, GOOD)
