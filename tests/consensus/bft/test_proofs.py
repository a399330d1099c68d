"""Power, proposers, certificates and evidence: what validators can prove about each other."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as ev
from coc.consensus.bft.certificates import CertificateInvalid, verify_certificate
from coc.consensus.bft.evidence import EvidencePool
from coc.consensus.bft.power import Electorate, holds_an_honest_one, is_quorum
from coc.consensus.bft.proposers import proposer_of
from coc.primitives.frozen import replace
from coc.primitives.limits_consensus import EVIDENCE_ITEMS_MAX, EVIDENCE_PER_VALIDATOR_ITEMS_MAX
from coc.primitives.seals import Step
from coc.primitives.secp256k1 import address_of, recover_address, secret_of, sign
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.votes import CommitCertificate, Evidence, VoteInvalid, evidence_of
from coc.sim.bft_crypto import Key, verify
from coc.sim.bft_plan import address_at
from tests.consensus.bft.playbook import (
    BLOCK,
    FOUR,
    GENESIS,
    HEIGHT,
    OTHER,
    PEER,
    Playbook,
    certificate,
    facts_of,
    height_facts,
    of_kind,
    precommit,
    prevote,
    proposal,
    validators,
    vote,
)


@pytest.mark.parametrize(
    ("total", "least"), [(1, 1), (3, 3), (4, 3), (6, 5), (7, 5), (100, 67), (2**64, 12297829382473034411)]
)
def test_a_quorum_is_more_than_two_thirds(total: int, least: int) -> None:  # BFT-3
    assert is_quorum(least, total)
    assert not is_quorum(least - 1, total)


@pytest.mark.parametrize(("total", "least"), [(3, 2), (4, 2), (6, 3), (7, 3), (100, 34)])
def test_more_than_a_third_holds_an_honest_one(total: int, least: int) -> None:  # BFT-3
    assert holds_an_honest_one(least, total)
    assert not holds_an_honest_one(least - 1, total)


def proposers(count: int, *powers: int, skipped: frozenset[Address] = frozenset()) -> list[int]:
    chosen = [proposer_of(validators(*powers), skipped, Height(0), round_).id for round_ in range(count)]
    return [next(index for index in range(len(powers)) if address_at(index) == id_) for id_ in chosen]


def test_equal_powers_take_turns() -> None:  # BFT-4
    assert proposers(8, 5, 5, 5, 5) == [0, 1, 2, 3, 0, 1, 2, 3]


def test_proposing_follows_power_and_is_evenly_spread() -> None:  # BFT-4
    chosen = proposers(400, 1, 2, 1)

    assert Counter(chosen) == {0: 100, 1: 200, 2: 100}
    assert all(pair not in ((0, 0), (2, 2)) for pair in itertools.pairwise(chosen))


def test_huge_powers_are_scaled_and_the_smallest_still_proposes() -> None:  # BFT-4
    chosen = Counter(proposers(1_026, 2**63 - 1, 2**62, 1))

    assert chosen[2] == 1
    assert 1.9 < chosen[0] / chosen[1] < 2.1


def test_the_convicted_do_not_propose_unless_all_are() -> None:  # BFT-4
    everybody = frozenset(address_at(index) for index in range(3))

    assert set(proposers(9, 1, 1, 1, skipped=frozenset({address_at(1)}))) == {0, 2}
    assert set(proposers(9, 1, 1, 1, skipped=everybody)) == {0, 1, 2}


def test_height_and_round_move_the_turn_alike() -> None:  # BFT-4
    assert proposer_of(FOUR, frozenset(), Height(5), 2) == proposer_of(FOUR, frozenset(), Height(7), 0)


def test_a_certificate_of_a_quorum_is_accepted() -> None:  # BFT-26
    verify_certificate(certificate(2, BLOCK, (0, 1, 3)), GENESIS, Electorate.of(FOUR), verify)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (certificate(0, BLOCK, (0, 1)), "too little power"),
        (replace(certificate(0, BLOCK, (0, 1, 2)), set_hash=OTHER), "another validator set"),
        (replace(certificate(0, BLOCK, (0, 1, 2)), round=1), "by no key"),
        (replace(certificate(0, BLOCK, (0, 1, 2)), block=OTHER), "by no key"),
        (replace(certificate(0, BLOCK, (0, 1, 2)), bitmap=0b1011), "another key"),
        (replace(certificate(0, BLOCK, (0, 1, 2)), bitmap=0b1111), "one signature a bit"),
        (replace(certificate(0, BLOCK, (0, 1, 2)), bitmap=0b10011), "no entry 4"),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused(broken: CommitCertificate, what: str) -> None:  # BFT-26
    with pytest.raises(CertificateInvalid, match=what):
        verify_certificate(broken, GENESIS, Electorate.of(FOUR), verify)


def test_a_certificate_with_real_keys_is_verified() -> None:  # BFT-2, BFT-26
    secrets = [secret_of(bytes([number]) * 32) for number in (1, 2, 3, 4)]
    entries = tuple(
        replace(entry, id=address_of(secret)) for entry, secret in zip(FOUR.validators, secrets, strict=True)
    )
    electorate = Electorate.of(replace(FOUR, validators=entries))
    unsigned = CommitCertificate(HEIGHT, 0, BLOCK, electorate.set_hash, 0b0111, ())
    digest = unsigned.request(GENESIS).digest()
    whole = replace(unsigned, signatures=tuple(sign(secret, digest) for secret in secrets[:3]))
    verify_certificate(whole, GENESIS, electorate, recover_address)

    with pytest.raises(CertificateInvalid):
        verify_certificate(replace(whole, round=1), GENESIS, electorate, recover_address)


def test_a_peers_certificate_decides_once_the_block_is_here(stage: Playbook) -> None:  # BFT-11, BFT-26
    received = stage.play(ev.CertificateReceived(PEER, certificate(0, BLOCK, (0, 1, 2))))

    assert of_kind(received, fx.Fetch) == [fx.Fetch(BLOCK, ())]
    assert [effect.block for effect in of_kind(stage.hold(BLOCK, facts_of()), fx.Decide)] == [BLOCK]


def test_late_precommits_complete_the_certificate_of_the_next_block() -> None:  # BFT-27
    stage = Playbook(position=1)
    stage.start()
    stage.prevote_block()
    stage.hear(*(precommit(position, 0, BLOCK) for position in (0, 2, 3)))
    next_height = Height(HEIGHT + 1)
    stage.play(ev.HeightOpened(height_facts(next_height, BLOCK, parent_time_ms=11_000)))
    stage.hear(precommit(1, 0, BLOCK))
    stage.now_ms = 12_000
    due = stage.play(ev.TimerFired(ev.Timer(ev.TimerKind.DUE, next_height, 0)))

    assert of_kind(due, fx.Build) == [fx.Build(next_height, 0, BLOCK, certificate(0, BLOCK, (0, 1, 2, 3)))]


def test_two_votes_for_one_place_are_evidence(stage: Playbook) -> None:  # BFT-28
    pair = prevote(0, 0, BLOCK), prevote(0, 0, None)
    evidence = evidence_of(*pair)

    assert stage.hear(*pair) == [fx.EvidenceFound(evidence), fx.Broadcast(evidence)]
    assert stage.hear(prevote(0, 0, OTHER)) == []
    assert stage.machine.pending_evidence == (evidence,)


def test_two_proposals_for_one_round_are_evidence(stage: Playbook) -> None:  # BFT-28
    pair = proposal(0, BLOCK), proposal(0, OTHER)

    assert fx.EvidenceFound(evidence_of(*pair)) in stage.hear(*pair)


def test_evidence_of_a_peer_is_verified_kept_and_passed_on(stage: Playbook) -> None:  # BFT-28
    evidence = evidence_of(precommit(2, 1, BLOCK), precommit(2, 1, None))

    assert stage.play(ev.EvidenceReceived(PEER, evidence)) == [
        fx.EvidenceFound(evidence),
        fx.Broadcast(evidence),
    ]
    assert stage.play(ev.EvidenceReceived(PEER, evidence)) == []


def test_evidence_with_a_wrong_signature_convicts_nobody(stage: Playbook) -> None:  # BFT-28
    forged = evidence_of(prevote(0, 0, BLOCK), replace(prevote(0, 0, BLOCK), block=OTHER))

    assert [type(effect) for effect in stage.play(ev.EvidenceReceived(PEER, forged))] == [fx.Misbehaved]
    assert stage.machine.pending_evidence == ()


def test_votes_that_agree_are_no_evidence() -> None:  # BFT-28
    for other in (prevote(0, 0, BLOCK), prevote(1, 0, OTHER), precommit(0, 0, OTHER), prevote(0, 1, OTHER)):
        with pytest.raises(VoteInvalid):
            evidence_of(prevote(0, 0, BLOCK), other)


def offence(position: int, round_: int) -> Evidence:
    return evidence_of(prevote(position, round_, BLOCK), prevote(position, round_, OTHER))


def test_evidence_against_one_validator_is_bounded_oldest_out_first() -> None:  # BFT-29
    pool = EvidencePool()
    for round_ in range(EVIDENCE_PER_VALIDATOR_ITEMS_MAX + 3):
        assert pool.add(offence(0, round_))
    pool.add(offence(1, 0))

    assert [evidence.first.round for evidence in pool.pending()] == [
        *range(3, EVIDENCE_PER_VALIDATOR_ITEMS_MAX + 3),
        0,
    ]


def test_evidence_is_bounded_in_all() -> None:  # BFT-29
    pool = EvidencePool()
    for number in range(EVIDENCE_ITEMS_MAX + 1):
        pool.add(offence(number % 50, number // 50))

    assert len(pool.pending()) == EVIDENCE_ITEMS_MAX
    assert pool.pending()[0] == offence(1, 0)


def test_included_evidence_is_forgotten() -> None:  # BFT-29
    pool = EvidencePool()
    pool.add(offence(0, 0))
    pool.remove(offence(0, 0).offence())

    assert pool.pending() == ()
    assert pool.counts == {}


def test_a_signature_binds_every_field() -> None:  # BFT-2
    request = proposal(4, BLOCK, 2).request(GENESIS)
    changes = (
        {"genesis_hash": OTHER},
        {"height": Height(5)},
        {"round": 5},
        {"step": Step.PREVOTE},
        {"block": Hash32(OTHER)},
        {"block": None},
        {"valid_round": 3},
    )
    digests = {replace(request, **change).digest() for change in changes}

    assert len(digests | {request.digest()}) == len(changes) + 1
    assert Key(address_at(0)).sign(request.digest()) != Key(address_at(1)).sign(request.digest())
    assert vote(0, Step.PREVOTE, 0, None) != vote(0, Step.PRECOMMIT, 0, None)
