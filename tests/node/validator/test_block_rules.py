"""What a block must say beside Ethereum's rules: on a real chain, executed and then refused.

BFT-37, BFT-38, BFT-39.
"""

from __future__ import annotations

import pytest

from coc.consensus.sync.messages import BlockBody
from coc.primitives.consensus_data import ConsensusDataInvalid, decode_consensus_data
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.limits_consensus import EVIDENCE_LOOKED_AT_ITEMS_MAX, EVIDENCE_PER_BLOCK_ITEMS_MAX
from coc.primitives.seals import Step
from coc.primitives.secp256k1 import address_of, sign
from coc.primitives.types import Address, Hash32, Height, Signature
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import Evidence, Vote, evidence_of
from coc.primitives.vrf import prove
from tests.node.validator.forge import SECRETS, Forge


@pytest.fixture
def forge() -> Forge:
    made = Forge()
    made.extend(2)
    return made


def test_what_the_proposer_of_a_round_builds_is_valid_to_everybody(forge: Forge) -> None:
    for round_ in (0, 1, 5):
        facts = forge.door.execute(forge.body(round_))
        assert facts is not None
        assert facts.original_round == round_


def test_block_1_has_no_parent_certificate_and_every_other_has(forge: Forge) -> None:
    first = Forge()
    assert first.door.execute(first.body()) is not None
    certificate = decode_consensus_data(forge.chain.head.consensus_data).parent_certificate
    assert first.door.execute(first.body(parent_certificate=certificate)) is None
    assert forge.door.execute(forge.body(parent_certificate=b"")) is None


def test_any_valid_certificate_of_the_parent_will_do(forge: Forge) -> None:
    grandparent = Forge()
    (block,) = grandparent.extend(1)
    body = BlockBody(block.block, block.consensus_data)
    other = Forge()
    for signers in ((0, 1, 2), (1, 2, 3), (0, 1, 2, 3)):
        certificate = other.certificate(body, 0, signers).encode()
        assert grandparent.door.execute(grandparent.body(parent_certificate=certificate)) is not None
    minority = other.certificate(body, 0, (0, 1)).encode()
    assert grandparent.door.execute(grandparent.body(parent_certificate=minority)) is None


def test_a_certificate_of_another_block_is_refused(forge: Forge) -> None:
    older = decode_consensus_data(forge.chain.head.consensus_data).parent_certificate
    assert forge.door.execute(forge.body(parent_certificate=older)) is None


def test_another_proposer_or_original_round_than_the_schedule_has_is_refused(forge: Forge) -> None:
    assert forge.door.execute(forge.body(original_round=1)) is None
    somebody = forge.wish(1).data.proposer
    assert forge.door.execute(forge.body(proposer=somebody)) is None


def test_a_proof_of_another_key_or_of_other_randomness_is_refused(forge: Forge) -> None:
    facts = forge.door.next_height()
    alpha = forge.door.randomness_input(facts.parent, facts.height)
    proposer = forge.wish().data.proposer
    stranger = next(secret for address, secret in SECRETS.items() if address != proposer)
    assert forge.door.execute(forge.body(vrf_proof=prove(stranger, alpha))) is None
    assert forge.door.execute(forge.body(vrf_proof=prove(SECRETS[proposer], alpha + b"x"))) is None
    assert forge.door.execute(forge.body(vrf_proof=b"")) is None


def test_the_randomness_of_a_block_follows_its_proof_and_the_parents(forge: Forge) -> None:
    bodies = [forge.body(round_) for round_ in (0, 1)]
    mixes = set()
    for body in bodies:
        name, _ = forge.door.check(body) or (Hash32(b""), Height(0))
        header = forge.chain.header(name)
        assert header is not None
        mixes.add(header.mix_hash)
    assert len(mixes) == 2
    assert forge.chain.head.mix_hash not in mixes


def test_other_validator_sets_than_the_state_has_are_refused(forge: Forge) -> None:
    entries = forge.door.next_height().validators.validators
    fewer = ValidatorSet(entries[:3])
    assert forge.door.execute(forge.body(next_validators=fewer)) is None


def double_vote(forge: Forge, height: int, round_: int = 0) -> Evidence:
    secret = forge.secret(3)
    votes = []
    for block in (keccak256(b"one"), keccak256(b"other")):
        vote = Vote(Height(height), round_, Step.PREVOTE, block, address_of(secret), Signature(bytes(65)))
        digest = vote.request(forge.genesis_hash).digest()
        votes.append(replace(vote, signature=sign(secret, digest)))
    return evidence_of(*votes)


def test_evidence_that_convicts_is_taken_and_then_convicts_no_more(forge: Forge) -> None:
    evidence = double_vote(forge, 1)
    offender = evidence.offender
    body = forge.body(evidence=(evidence,))
    assert decode_consensus_data(body.consensus_data).evidence == (evidence,)
    found = forge.door.check(body)
    assert found is not None
    assert forge.door.execute(body) is not None
    decided = forge.door.decide(found[0], forge.certificate(body), [])
    assert decided.facts.skipped == {offender}
    assert list(decided.evidence) == [evidence]
    assert forge.door.execute(_built_by_force(forge, (evidence,))) is None


def convict_of_height_1(forge: Forge) -> None:
    """Decide a block that judges an offence, and one behind it."""
    built = forge.door.build(forge.wish(evidence=(double_vote(forge, 1),)))
    assert built.outdated == ()
    forge.door.decide(built.hash, forge.certificate(built.body), [])
    forge.decide()


def test_evidence_that_convicts_no_more_is_told_and_takes_no_place(forge: Forge) -> None:  # BFT-46
    convict_of_height_1(forge)
    late = tuple(double_vote(forge, 1, round_) for round_ in range(1, EVIDENCE_PER_BLOCK_ITEMS_MAX + 2))
    useful, early = double_vote(forge, 2), double_vote(forge, forge.height + 1)
    built = forge.door.build(forge.wish(evidence=(*late, early, useful)))
    assert decode_consensus_data(built.body.consensus_data).evidence == (useful,)
    assert built.outdated == tuple(piece.offence() for piece in late)


def test_a_builder_looks_at_so_many_pieces_and_at_the_others_next_time(forge: Forge) -> None:  # BFT-46
    convict_of_height_1(forge)
    late = [double_vote(forge, 1, round_) for round_ in range(1, EVIDENCE_LOOKED_AT_ITEMS_MAX + 2)]
    built = forge.door.build(forge.wish(evidence=late))
    assert built.outdated == tuple(piece.offence() for piece in late[:-1])
    assert forge.door.build(forge.wish(evidence=late[-1:])).outdated == (late[-1].offence(),)


@pytest.mark.parametrize("fault", ["future", "twice", "forged", "stranger"])
def test_evidence_that_convicts_nobody_makes_a_block_invalid(forge: Forge, fault: str) -> None:
    evidence = double_vote(forge, 2 if fault != "future" else 9)
    pieces: tuple[Evidence, ...] = (evidence,)
    if fault == "twice":
        pieces = (evidence, evidence)
    elif fault == "forged":
        forged = replace(evidence.first, signature=evidence.second.signature)
        pieces = (evidence_of(forged, evidence.second),)
    elif fault == "stranger":
        unknown = Address(evidence.offender[::-1])
        pieces = (
            evidence_of(
                replace(evidence.first, validator=unknown), replace(evidence.second, validator=unknown)
            ),
        )
    assert forge.door.execute(_built_by_force(forge, pieces)) is None


def _built_by_force(forge: Forge, evidence: tuple[Evidence, ...]) -> BlockBody:
    """A block with this evidence, built as a liar would: without asking whether it convicts."""
    wish = forge.wish(evidence=evidence)
    credulous = type("Credulous", (), {"can_convict": lambda self, *about: True})()
    rules = forge.door._rules
    forge.door._rules = replace(rules, sets=credulous)
    try:
        lenient = replace(wish, height=Height(10**6))
        built = forge.door.build(lenient)
    finally:
        forge.door._rules = rules
    return built.body


def test_a_block_has_a_bounded_number_of_pieces_of_evidence(forge: Forge) -> None:
    pieces = tuple(double_vote(forge, 1) for _ in range(EVIDENCE_PER_BLOCK_ITEMS_MAX + 1))
    assert (
        len(decode_consensus_data(forge.wish(evidence=pieces[1:]).data.encode()).evidence) == len(pieces) - 1
    )
    with pytest.raises(ConsensusDataInvalid):
        decode_consensus_data(forge.wish(evidence=pieces).data.encode())
