"""What a proof shows, and what it does not: forged chains whose every signature a test can choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from coc.consensus.bft.power import is_quorum
from coc.consensus.finality.checkpoint import Checkpoint
from coc.consensus.finality.faults import AnchorUnfit, FinalityRefused, ProofFileInvalid, ProofInvalid
from coc.consensus.finality.records import (
    CheckpointAnchor,
    GenesisAnchor,
    Link,
    Record,
    Target,
)
from coc.consensus.finality.verify import Trust, verify_proof
from coc.primitives.consensus_root import NEXT_VALIDATORS_FIELD, siblings_of
from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.seals import Step
from coc.primitives.types import Hash32, Height
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import CommitCertificate, Vote, decode_certificate, evidence_of
from tests.consensus.finality.forged import (
    BLOCK_SECONDS,
    CLOCK_TOLERANCE_S,
    CONFIG,
    REGISTRY,
    ForgedChain,
    Sealed,
    certify,
    forged,
    header_bytes,
    set_of,
)

CHANGING = ("abcd", "abcd", "abcde", "bcde", "wxyz")
"""A set that grows, shrinks, and is then another one altogether; a period has four blocks."""
R = TypeVar("R", bound=Record)


@pytest.fixture
def chain() -> ForgedChain:
    return forged(CHANGING)


def of_kind(records: list[Record], kind: type[R]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def with_target(records: list[Record], block: Sealed) -> list[Record]:
    return [*records[:-1], Target(block.header, block.consensus_data, block.certificate)]


def changed(records: list[Record], position: int, change: Callable[[R], R], kind: type[R]) -> list[Record]:
    """The same proof, but for the record of this kind at this position among its like."""
    old = of_kind(records, kind)[position]
    return [change(old) if record is old else record for record in records]


def link_of(block: Sealed, next_validators: str | None = None) -> Link:
    siblings = siblings_of(block.consensus_data, NEXT_VALIDATORS_FIELD)[1:]
    named = None if next_validators is None else set_of(next_validators)
    return Link(block.header, named, siblings, block.certificate)


# ── What is shown ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_of_the_first_period_needs_no_link(chain: ForgedChain) -> None:  # FIN-3, FIN-7
    records = chain.proof(3)

    found = chain.verify(records)

    assert [type(record) for record in records] == [GenesisAnchor, Target]
    assert found.block == chain.blocks[3].facts
    assert (found.anchor_height, found.periods, found.set_changes, found.signatures) == (0, 0, 0, 4)


def test_every_period_is_crossed_by_its_last_block(chain: ForgedChain) -> None:  # FIN-5, FIN-6
    records = chain.proof(22)

    found = chain.verify(records)

    heights = [chain.blocks[number].header for number in (3, 7, 11, 15, 19)]
    assert [link.header for link in of_kind(records, Link)] == heights
    assert [link.next_validators is None for link in of_kind(records, Link)] == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert (found.periods, found.set_changes) == (5, 3)
    assert found.signatures == 4 + 4 + 5 + 4 + 4 + 4


@pytest.mark.parametrize("target", range(1, 31))
def test_every_block_can_be_proved_from_genesis(chain: ForgedChain, target: int) -> None:  # FIN-7
    assert chain.verify(chain.proof(target)).block == chain.blocks[target].facts


@pytest.mark.parametrize("start", [1, 2, 3, 4, 7, 11, 14, 18])
def test_every_later_block_can_be_proved_from_a_checkpoint(chain: ForgedChain, start: int) -> None:  # FIN-4
    checkpoint = chain.checkpoint(start)
    for target in range(start + 1, 27):
        found = chain.verify(chain.proof(target, checkpoint), checkpoint)

        assert (found.anchor_height, found.block) == (start, chain.blocks[target].facts)


def test_what_is_proved_is_a_checkpoint_for_the_next_proof(chain: ForgedChain) -> None:  # FIN-10
    for target, changes_left in ((6, 2), (7, 1), (8, 1)):
        checkpoint = chain.verify(chain.proof(target)).checkpoint

        assert checkpoint == chain.checkpoint(target)
        assert chain.verify(chain.proof(12, checkpoint), checkpoint).set_changes == changes_left


def test_a_chain_without_a_registry_has_one_set_for_ever() -> None:  # FIN-5
    chain = ForgedChain(registry=None)

    records = chain.proof(30)

    assert [type(record) for record in records] == [GenesisAnchor, Target]
    assert chain.verify(records).checkpoint is None
    assert chain.verify(records, now_s=0).block == chain.blocks[30].facts


# ── Certificates ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("powers", "signers"),
    [((1, 1, 1, 1), {0, 2}), ((1, 1, 1, 0), {0, 1}), ((2, 2, 1, 1), {0, 1}), ((5, 5, 5, 1), {0, 1})],
)
def test_two_thirds_of_the_power_are_too_little(powers: tuple[int, ...], signers: set[int]) -> None:  # FIN-8
    chain = ForgedChain(height=6, powers=powers)
    for number in (3, 5):
        chain.put(number, chain.child(number, signers=signers))

        with pytest.raises(ProofInvalid, match="too little power"):
            chain.verify(chain.proof(5))


@pytest.mark.parametrize(
    ("powers", "signers"), [((1, 1, 1, 1), {0, 2, 3}), ((2, 2, 1, 1), {0, 1, 3}), ((5, 1, 1, 0), {0})]
)
def test_more_than_two_thirds_are_enough(powers: tuple[int, ...], signers: set[int]) -> None:  # FIN-8
    chain = ForgedChain(height=6, powers=powers)
    for number in (3, 5):
        chain.put(number, chain.child(number, signers=signers))

    assert chain.verify(chain.proof(5)).signatures == 2 * len(signers)


def with_certificate(records: list[Record], certificate: CommitCertificate) -> list[Record]:
    return changed(records, 0, lambda target: replace(target, certificate=certificate.encode()), Target)


def test_a_certificate_of_another_height_or_block_proves_nothing(chain: ForgedChain) -> None:  # FIN-8
    own = decode_certificate(chain.blocks[5].certificate)
    others = [
        decode_certificate(chain.blocks[6].certificate),
        replace(own, height=Height(6)),
        replace(own, block=chain.blocks[6].facts.hash),
        decode_certificate(chain.child(5, state=b"other").certificate),
    ]
    for other in others:
        with pytest.raises(ProofInvalid, match="is another block's"):
            chain.verify(with_certificate(chain.proof(5), other))


def test_every_signature_of_a_certificate_is_checked(chain: ForgedChain) -> None:  # FIN-8
    own = decode_certificate(chain.blocks[5].certificate)
    stranger = certify(chain.genesis_hash, chain.blocks[5].facts, "abcx", chain.set_at(5))
    swapped = replace(own, signatures=(own.signatures[1], own.signatures[0], *own.signatures[2:]))
    in_another_round = replace(own, round=1)
    on_another_chain = certify(Hash32(bytes(32)), chain.blocks[5].facts, "abcd", chain.set_at(5))
    for each in (stranger, swapped, in_another_round, on_another_chain):
        with pytest.raises(ProofInvalid, match="was made by"):
            chain.verify(with_certificate(chain.proof(5), each))


def test_a_set_votes_in_its_own_periods_only(chain: ForgedChain) -> None:  # FIN-8
    """The old set cannot decide a block of the new one's, and the new set no older one."""
    for number, names in ((8, "abcd"), (12, "abcde"), (16, "bcde"), (15, "wxyz")):
        certificate = certify(chain.genesis_hash, chain.blocks[number].facts, names, set_of(names))

        with pytest.raises(ProofInvalid, match="of another validator set"):
            chain.verify(with_certificate(chain.proof(number), certificate))


def test_a_bit_beyond_the_set_is_nobodys_vote(chain: ForgedChain) -> None:  # FIN-8
    beyond = certify(chain.genesis_hash, chain.blocks[5].facts, "abcda", chain.set_at(5))

    with pytest.raises(ProofInvalid, match="no entry 4"):
        chain.verify(with_certificate(chain.proof(5), beyond))


# ── Links ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_period_can_be_left_out_even_where_the_set_stays(chain: ForgedChain) -> None:  # FIN-5
    records = chain.proof(10)
    for missing in of_kind(records, Link):
        with pytest.raises(ProofInvalid):
            chain.verify([record for record in records if record is not missing])


def test_links_come_once_and_in_order(chain: ForgedChain) -> None:  # FIN-5
    anchor, first, second, target = chain.proof(10)
    for disordered in (
        [anchor, second, first, target],
        [anchor, first, first, second, target],
        [anchor, first, second, second, target],
    ):
        with pytest.raises(ProofInvalid, match="is no link of this proof"):
            chain.verify(disordered)


def test_only_the_last_block_of_a_period_is_a_link(chain: ForgedChain) -> None:  # FIN-5
    anchor, *_, target = chain.proof(6)
    for number in (1, 2, 4):
        with pytest.raises(ProofInvalid, match="is no link"):
            chain.verify([anchor, link_of(chain.blocks[number]), target])


def test_a_set_that_does_not_change_is_not_carried(chain: ForgedChain) -> None:  # FIN-6
    anchor, _, target = chain.proof(6)

    with pytest.raises(ProofInvalid, match="repeats the set"):
        chain.verify([anchor, link_of(chain.blocks[3], "abcd"), target])


def test_a_next_set_that_the_block_does_not_name_is_refused(chain: ForgedChain) -> None:  # FIN-6
    for named in (*map(set_of, ("wxyz", "abcdf", "abdce", "abcd")), None):
        with pytest.raises(ProofInvalid):
            chain.verify(naming(chain.proof(10), named))


def test_power_and_recipient_of_the_next_set_are_covered(chain: ForgedChain) -> None:  # FIN-6
    first, *others = chain.set_at(8).validators
    for other in (replace(first, power=2), replace(first, fee_recipient=others[0].id)):
        with pytest.raises(ProofInvalid, match="does not name these sets"):
            chain.verify(naming(chain.proof(10), ValidatorSet((other, *others))))


def naming(records: list[Record], next_validators: ValidatorSet | None) -> list[Record]:
    """The same proof, but its second link, which changes the set, says that it is followed by this one."""
    return changed(records, 1, lambda link: replace(link, next_validators=next_validators), Link)


def test_a_link_must_name_the_set_that_votes_on_it(chain: ForgedChain) -> None:  # FIN-6
    """Even if that set itself certified another one: its header contradicts what was certified before."""
    block = chain.child(7, validators=set_of("bcde"))
    chain.put(7, block)

    with pytest.raises(ProofInvalid, match="does not name these sets"):
        chain.verify(chain.proof(10))


# ── Target ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_target_beyond_the_known_set_or_below_the_anchor_is_refused(chain: ForgedChain) -> None:  # FIN-7
    checkpoint = chain.checkpoint(5)
    from_genesis, from_checkpoint = chain.proof(6), chain.proof(6, checkpoint)
    for number in (8, 9, 3, 2):
        with pytest.raises(ProofInvalid, match="nothing is known about the set"):
            chain.verify(with_target(from_genesis, chain.blocks[number]))
    for number in (8, 5, 4):
        with pytest.raises(ProofInvalid, match="nothing is known about the set"):
            chain.verify(with_target(from_checkpoint, chain.blocks[number]), checkpoint)


def test_consensus_data_of_another_block_are_refused(chain: ForgedChain) -> None:  # FIN-7
    other = chain.blocks[8].consensus_data

    with pytest.raises(ProofInvalid, match="consensus data"):
        chain.verify(changed(chain.proof(5), 0, lambda target: replace(target, consensus_data=other), Target))


@pytest.mark.parametrize("sets", [{"validators": set_of("bcda")}, {"next_validators": set_of("wxyz")}])
def test_a_target_that_contradicts_its_period_is_refused(chain: ForgedChain, sets: dict[str, object]) -> None:
    """FIN-7."""
    block = chain.child(5, **sets)  # type: ignore[arg-type]  # one of two sets

    with pytest.raises(ProofInvalid, match="set"):
        chain.verify(with_target(chain.proof(5), block))


def test_times_rise_and_a_block_right_after_another_is_its_child(chain: ForgedChain) -> None:  # FIN-8
    before = chain.blocks[3].facts.time_s
    for block in (chain.child(5, time_s=before), chain.child(5, time_s=before - 1)):
        with pytest.raises(ProofInvalid, match="is not later"):
            chain.verify(with_target(chain.proof(5), block))
    with pytest.raises(ProofInvalid, match="no child"):
        chain.verify(with_target(chain.proof(4), chain.child(4, parent=bytes(32))))
    assert chain.verify(with_target(chain.proof(5), chain.child(5, parent=bytes(32)))).block.height == 5


# ── Shape ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_proof_is_an_anchor_links_and_a_target(chain: ForgedChain) -> None:  # FIN-9
    anchor, first, second, target = chain.proof(10)
    for records, reason in (
        ([], "does not begin with an anchor"),
        ([first, second, target], "does not begin with an anchor"),
        ([anchor, first, anchor, second, target], "second anchor"),
        ([anchor, first, second], "ends before its target"),
        ([anchor, first, second, target, target], "goes on after its target"),
        ([anchor, first, second, target, first], "goes on after its target"),
    ):
        with pytest.raises(ProofFileInvalid, match=reason):
            chain.verify(records)


# ── Anchors ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_proof_of_another_chain_is_refused(chain: ForgedChain) -> None:  # FIN-2
    trust = Trust(Hash32(b"\x01" * 32))

    with pytest.raises(AnchorUnfit, match="another chain"):
        verify_proof(chain.proof(5), trust, 0, lambda genesis, config: chain.rules())


def test_the_rules_must_be_those_that_genesis_covers(chain: ForgedChain) -> None:  # FIN-2
    def with_other_config(anchor: GenesisAnchor) -> GenesisAnchor:
        return GenesisAnchor(replace(anchor.origin, config=CONFIG + b" "))

    with pytest.raises(ProofInvalid, match="rules in the proof"):
        chain.verify(changed(chain.proof(5), 0, with_other_config, GenesisAnchor))


def test_a_later_block_is_not_taken_for_genesis(chain: ForgedChain) -> None:  # FIN-2
    """Whoever mixes up two hashes must not trust the validators that some proposer wrote into a block."""
    origin = replace(
        of_kind(chain.proof(5), GenesisAnchor)[0].origin,
        genesis_header=header_bytes(9, bytes(32), 1, chain.blocks[0].facts.extra_data, bytes(32)),
    )
    records = [GenesisAnchor(origin), *chain.proof(5)[1:]]
    chain.genesis_hash = keccak256(origin.genesis_header)

    with pytest.raises(AnchorUnfit, match="later block"):
        chain.verify(records)


def test_anchor_and_trust_must_be_of_one_kind(chain: ForgedChain) -> None:  # FIN-3, FIN-4
    checkpoint = chain.checkpoint(5)

    with pytest.raises(AnchorUnfit, match="begins at the checkpoint 5"):
        chain.verify(chain.proof(6, checkpoint))
    with pytest.raises(AnchorUnfit, match="begins at genesis"):
        chain.verify(chain.proof(6), checkpoint)


def test_another_checkpoint_is_refused(chain: ForgedChain) -> None:  # FIN-4
    with pytest.raises(AnchorUnfit, match="another checkpoint"):
        chain.verify(chain.proof(9, chain.checkpoint(5)), chain.checkpoint(6))


def test_a_checkpoint_that_contradicts_its_block_is_refused(chain: ForgedChain) -> None:  # FIN-10
    right = chain.checkpoint(7)
    records = chain.proof(9, right)
    for wrong in (
        replace(right, height=Height(6)),
        replace(right, next_set_hash=chain.set_at(7).hash()),
        replace(right, time_s=right.time_s + 1),
    ):
        with pytest.raises(AnchorUnfit, match="contradicts itself"):
            chain.verify(records, wrong)


def test_the_set_after_a_checkpoint_is_proved_by_its_block(chain: ForgedChain) -> None:  # FIN-4
    right = chain.checkpoint(7)
    anchor = of_kind(chain.proof(9, right), CheckpointAnchor)[0]
    forged = replace(anchor, next_validators=set_of("wxyz"))
    trusted = replace(right, next_set_hash=set_of("wxyz").hash())

    with pytest.raises(ProofInvalid, match="does not name the set"):
        chain.verify([forged, *chain.proof(9, right)[1:]], trusted)
    path = (anchor.siblings[1], anchor.siblings[0], anchor.siblings[2])
    with pytest.raises(ProofInvalid, match="does not name the set"):
        chain.verify([replace(anchor, siblings=path), *chain.proof(9, right)[1:]], right)


def test_a_checkpoint_is_trusted_for_two_thirds_of_the_unbonding_time(chain: ForgedChain) -> None:  # FIN-11
    checkpoint = chain.checkpoint(5)
    records = chain.proof(9, checkpoint)
    last_s = checkpoint.time_s + 600
    assert REGISTRY.unbonding_s == 900

    assert chain.verify(records, checkpoint, last_s).block.height == 9
    with pytest.raises(AnchorUnfit, match="too old"):
        chain.verify(records, checkpoint, last_s + 1)


def test_a_clock_that_lies_behind_the_chain_cannot_tell_age(chain: ForgedChain) -> None:  # FIN-11
    checkpoint = chain.checkpoint(5)
    records = chain.proof(9, checkpoint)
    made_s = checkpoint.time_s + 4 * BLOCK_SECONDS

    assert chain.verify(records, checkpoint, made_s - CLOCK_TOLERANCE_S).block.height == 9
    with pytest.raises(AnchorUnfit, match="clock is wrong"):
        chain.verify(records, checkpoint, made_s - CLOCK_TOLERANCE_S - 1)


def test_from_genesis_no_clock_is_needed(chain: ForgedChain) -> None:  # FIN-3, FIN-11
    for now_s in (0, 2**40):
        assert chain.verify(chain.proof(9), now_s=now_s).block.height == 9


def test_a_chain_without_stakes_has_no_checkpoints() -> None:  # FIN-11
    chain = ForgedChain(registry=None)
    checkpoint = chain.checkpoint(5)
    with_registry = ForgedChain()
    records = with_registry.proof(6, with_registry.checkpoint(5))

    with pytest.raises(AnchorUnfit, match="has no checkpoints"):
        chain.verify(records, checkpoint)


# ── Soundness ───────────────────────────────────────────────────────────────────────────────────────────────


def votes_in(encoded: bytes, chain: ForgedChain, height: int) -> dict[bytes, Vote]:
    certificate = decode_certificate(encoded)
    entries = chain.set_at(height).validators
    return {
        entries[index].id: Vote(
            certificate.height,
            certificate.round,
            Step.PRECOMMIT,
            certificate.block,
            entries[index].id,
            signed,
        )
        for index, signed in zip(certificate.signers(), certificate.signatures, strict=True)
    }


@pytest.mark.parametrize("height", [5, 7, 10])
def test_two_proofs_that_contradict_each_other_convict_more_than_a_third(
    chain: ForgedChain, height: int
) -> None:
    """FIN-8: with the smallest quorums that can lie, in one round."""
    size = len(chain.names_at(height))
    least = next(count for count in range(size + 1) if is_quorum(count, size))
    true = chain.child(height, signers=range(least))
    lie = chain.child(height, state=b"other", signers=range(size - least, size))
    proofs = [with_target(chain.proof(height), block) for block in (true, lie)]
    assert len({chain.verify(proof).block.hash for proof in proofs}) == 2

    first, second = (votes_in(block.certificate, chain, height) for block in (true, lie))
    guilty = [
        evidence_of(first[each], second[each]).offender for each in sorted(first.keys() & second.keys())
    ]

    assert 3 * len(guilty) > size


def test_a_lie_about_a_link_cannot_be_followed_by_the_true_set(chain: ForgedChain) -> None:  # FIN-6
    """A false next set, certified by nobody, lets nobody vote."""
    false = chain.child(7, next_validators=set_of("wxyz"), signers={0, 1})
    lying = [
        *chain.proof(7)[:-1],
        link_of(false, "wxyz"),
        Target(*_certified_by(chain, 9, "wxyz")),
    ]

    with pytest.raises(FinalityRefused, match="too little power"):
        chain.verify(lying)


def _certified_by(chain: ForgedChain, number: int, names: str) -> tuple[bytes, bytes, bytes]:
    electors = set_of(names)
    block = chain.child(number, validators=electors, next_validators=electors)
    return (
        block.header,
        block.consensus_data,
        certify(chain.genesis_hash, block.facts, names, electors).encode(),
    )


def test_a_checkpoint_is_what_it_says(chain: ForgedChain) -> None:  # FIN-10
    facts = chain.blocks[7].facts

    assert chain.checkpoint(7) == Checkpoint(
        chain.genesis_hash, facts.height, facts.hash, set_of("abcde").hash(), facts.time_s
    )
