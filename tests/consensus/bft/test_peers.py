"""Peers: what is sent again, what is kept for later, who is believed, and within which bounds."""

from __future__ import annotations

import pytest

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as ev
from coc.consensus.bft.blocks import fetch
from coc.consensus.bft.inputs import TimerKind
from coc.consensus.bft.ledger import VoteLedger
from coc.consensus.bft.messages import Phase, Status, VoteBitmap
from coc.consensus.bft.power import Electorate
from coc.primitives.frozen import replace
from coc.primitives.limits_consensus import (
    ANSWER_VOTES_MAX,
    BLOCKS_IN_SIGHT_MAX,
    NEXT_HEIGHT_MESSAGES_PER_VALIDATOR_MAX,
    PEERS_MAX,
    ROUNDS_AHEAD_PER_VALIDATOR_MAX,
    ROUNDS_KEPT_MAX,
    STATUS_ROUNDS_MAX,
    VALUES_PER_VOTER_MAX,
)
from coc.primitives.seals import Step
from coc.primitives.types import Hash32, Height
from coc.primitives.votes import Vote
from coc.sim.bft_plan import address_at
from tests.consensus.bft.playbook import (
    ANOTHER_PEER,
    BLOCK,
    FOUR,
    HEIGHT,
    NO_SIGNATURE,
    OTHER,
    PEER,
    RULES,
    Playbook,
    certificate,
    facts_of,
    height_facts,
    of_kind,
    precommit,
    prevote,
    proposal,
    spoken,
    validators,
    vote,
)

NEXT = Height(HEIGHT + 1)


def block_named(number: int) -> Hash32:
    return Hash32(number.to_bytes(32, "big"))


def answers(stage: Playbook, status: Status) -> list[object]:
    heard = stage.play(ev.StatusReceived(PEER, status))
    return [effect.message for effect in of_kind(heard, fx.SendTo)]


def decide(stage: Playbook) -> None:
    stage.prevote_block()
    stage.hear(*(precommit(position, 0, BLOCK) for position in range(3)))


def test_a_status_tells_what_is_held(stage: Playbook) -> None:  # BFT-30
    stage.prevote_block()
    stage.hear(precommit(1, 2, None))

    assert stage.machine.status == Status(
        HEIGHT,
        0,
        Phase.PREVOTE,
        (0,),
        (BLOCK,),
        (VoteBitmap(0, Step.PREVOTE, BLOCK, 0b1000), VoteBitmap(2, Step.PRECOMMIT, None, 0b0010)),
    )


def test_a_peer_gets_the_proposal_and_the_votes_it_lacks(stage: Playbook) -> None:  # BFT-30
    stage.prevote_block()
    stage.hear(prevote(0, 0, BLOCK))
    held = (VoteBitmap(0, Step.PREVOTE, BLOCK, 0b1000),)

    assert answers(stage, Status(HEIGHT, 0, Phase.PREVOTE, votes=held)) == [
        proposal(0, BLOCK),
        prevote(0, 0, BLOCK),
    ]


def test_a_peer_that_lacks_nothing_gets_nothing(stage: Playbook) -> None:  # BFT-30
    stage.prevote_block()

    assert answers(stage, stage.machine.status) == []


def test_the_same_vote_is_sent_again_as_often_as_it_is_lacking(stage: Playbook) -> None:  # BFT-32
    stage.fire(TimerKind.PROPOSE)
    empty = Status(HEIGHT, 0, Phase.PROPOSE)
    for _ in range(3):
        assert answers(stage, empty) == [prevote(3, 0, None)]
        stage.now_ms += RULES.resend_ms


def test_a_peer_is_answered_once_in_half_a_resend_time(stage: Playbook) -> None:  # BFT-30
    stage.fire(TimerKind.PROPOSE)
    empty = Status(HEIGHT, 0, Phase.PROPOSE)
    answers(stage, empty)
    stage.now_ms += RULES.resend_ms // 2 - 1

    assert answers(stage, empty) == []
    assert of_kind(stage.play(ev.StatusReceived(ANOTHER_PEER, empty)), fx.SendTo) != []


def test_a_peer_behind_in_rounds_gets_what_lets_it_skip(stage: Playbook) -> None:  # BFT-16, BFT-30
    stage.hear(prevote(0, 7, None), prevote(1, 7, None))

    assert answers(stage, Status(HEIGHT, 0, Phase.PROPOSE)) == [prevote(0, 7, None), prevote(1, 7, None)]


def test_a_peer_at_a_lower_height_gets_its_certificate(stage: Playbook) -> None:  # BFT-30
    decide(stage)
    assert answers(stage, Status(HEIGHT, 3, Phase.PROPOSE)) == [certificate(0, BLOCK, (0, 1, 2))]

    stage.now_ms += RULES.resend_ms
    stage.play(ev.HeightOpened(height_facts(NEXT, BLOCK)))
    assert answers(stage, Status(HEIGHT, 3, Phase.PROPOSE)) == [certificate(0, BLOCK, (0, 1, 2))]

    stage.now_ms += RULES.resend_ms
    older = stage.play(ev.StatusReceived(PEER, Status(Height(2), 0, Phase.PROPOSE)))
    assert older == [fx.SendStoredCertificate(PEER, Height(2))]


def test_a_peer_ahead_is_one_to_catch_up_with(stage: Playbook) -> None:  # BFT-30
    ahead = Status(Height(HEIGHT + 5), 0, Phase.PROPOSE)

    assert stage.play(ev.StatusReceived(PEER, ahead)) == [fx.CatchUp(PEER, ahead.height)]


def test_the_resend_timer_speaks_fetches_again_and_sets_itself(stage: Playbook) -> None:  # BFT-17, BFT-30
    stage.play(ev.StatusReceived(PEER, Status(HEIGHT, 0, Phase.PREVOTE, blocks=(BLOCK,))))
    stage.hear(proposal(0, BLOCK))
    fired = stage.fire(TimerKind.RESEND)

    assert fired[0] == fx.Fetch(BLOCK, (PEER,))
    assert [type(effect) for effect in fired[1:]] == [fx.Broadcast, fx.SetTimer]


def test_nothing_is_said_before_the_block_is_due() -> None:  # BFT-31
    stage = Playbook(now_ms=10_200)
    assert of_kind(stage.start(), fx.Broadcast) == []

    assert of_kind(stage.fire(TimerKind.RESEND), fx.Broadcast) == []
    assert of_kind(stage.fire(TimerKind.RESEND, after_ms=1_000), fx.Broadcast) != []


def test_a_peer_that_has_come_is_told_where_we_stand_even_before_the_block_is_due() -> None:  # BFT-42
    stage = Playbook(now_ms=10_200)
    stage.start()

    assert stage.play(ev.PeerCame(PEER)) == [fx.SendTo(PEER, stage.machine.status)]


def test_a_peer_that_has_come_gets_by_its_status_what_was_said_before(stage: Playbook) -> None:  # BFT-42
    said = [effect.message for effect in of_kind(stage.prevote_block(), fx.Broadcast)]
    told = stage.play(ev.PeerCame(PEER))

    assert said
    assert of_kind(told, fx.SendTo)[0].message == stage.machine.status
    assert set(said) <= set(answers(stage, Status(HEIGHT, 0, Phase.PROPOSE)))


def test_a_peer_that_is_gone_is_asked_for_nothing(stage: Playbook) -> None:  # BFT-17
    stage.play(ev.StatusReceived(PEER, Status(HEIGHT, 0, Phase.PREVOTE, blocks=(BLOCK,))))
    stage.play(ev.PeerGone(PEER))

    assert fetch(stage.machine._core, BLOCK) == fx.Fetch(BLOCK, ())


def test_an_answer_is_bounded(stage: Playbook) -> None:  # BFT-30
    ledger = stage.machine._core.height.votes
    round_ = 0
    while sum(len(entry[3].votes) for entry in ledger.bitmaps()) <= ANSWER_VOTES_MAX:
        for position in range(4):
            for value in range(VALUES_PER_VOTER_MAX):
                for step in (Step.PREVOTE, Step.PRECOMMIT):
                    unsigned = Vote(
                        HEIGHT, round_, step, block_named(value + 1), address_at(position), NO_SIGNATURE
                    )
                    ledger.add(position, unsigned, round_)
        round_ += 1
        stage.machine._core.height.round = round_

    assert len(answers(stage, Status(HEIGHT, 0, Phase.PROPOSE))) <= ANSWER_VOTES_MAX
    assert len({entry.round for entry in stage.machine.status.votes}) <= STATUS_ROUNDS_MAX


def test_messages_for_the_next_height_wait_for_it(stage: Playbook) -> None:  # BFT-33
    early = vote(0, Step.PREVOTE, 0, OTHER, NEXT)
    assert stage.hear(early) == []
    decide(stage)
    stage.play(ev.HeightOpened(height_facts(NEXT, BLOCK)))

    assert stage.machine.status.votes == (VoteBitmap(0, Step.PREVOTE, OTHER, 0b0001),)


def test_messages_for_a_height_that_was_passed_over_count_for_no_other(stage: Playbook) -> None:  # BFT-33
    for position in range(3):
        stage.hear(vote(position, Step.PRECOMMIT, 0, OTHER, NEXT))
    after_next = Height(NEXT + 1)
    stage.play(ev.HeightOpened(height_facts(after_next, OTHER)))

    assert stage.machine.status == Status(after_next, 0, Phase.PROPOSE, (), (), ())


def test_few_early_messages_of_a_validator_are_kept_the_newest(stage: Playbook) -> None:  # BFT-33
    for round_ in range(NEXT_HEIGHT_MESSAGES_PER_VALIDATOR_MAX + 2):
        stage.hear(vote(0, Step.PREVOTE, round_, None, NEXT))
    kept = stage.machine._core.early[address_at(0)]

    assert [message.round for _, message in kept] == list(
        range(2, NEXT_HEIGHT_MESSAGES_PER_VALIDATOR_MAX + 2)
    )


def test_messages_two_heights_ahead_are_not_kept(stage: Playbook) -> None:  # BFT-33
    assert stage.hear(vote(0, Step.PREVOTE, 0, None, Height(HEIGHT + 2))) == []
    assert stage.machine._core.early == {}


def test_a_vote_counts_once_however_often_it_comes(stage: Playbook) -> None:  # BFT-34
    stage.prevote_block()

    assert spoken(stage.hear(*[prevote(0, 0, BLOCK)] * 5)) == []


def test_a_liar_counts_for_each_value_but_once_for_any() -> None:  # BFT-34
    ledger = VoteLedger(Electorate.of(FOUR))
    for position, block in ((0, BLOCK), (0, OTHER), (1, OTHER), (1, OTHER)):
        ledger.add(position, prevote(position, 0, block), 0)

    assert [ledger.tally(0, Step.PREVOTE, block).power for block in (BLOCK, OTHER)] == [1, 2]
    assert not ledger.has_quorum_of_any(0, Step.PREVOTE)


def test_few_values_of_one_voter_are_counted() -> None:  # BFT-34
    ledger = VoteLedger(Electorate.of(FOUR))
    taken = [
        ledger.add(0, prevote(0, 0, block_named(value + 1)), 0) for value in range(VALUES_PER_VOTER_MAX + 1)
    ]

    assert taken == [True] * VALUES_PER_VOTER_MAX + [False]


def test_a_liar_cannot_hide_a_quorum_by_filling_its_places() -> None:  # BFT-34
    ledger = VoteLedger(Electorate.of(FOUR))
    for value in range(VALUES_PER_VOTER_MAX):
        ledger.add(0, prevote(0, 0, block_named(value + 1)), 0)
    assert not ledger.add(0, prevote(0, 0, BLOCK), 0)

    ledger.add(1, prevote(1, 0, BLOCK), 0)
    ledger.add(2, prevote(2, 0, BLOCK), 0)
    assert ledger.add(0, prevote(0, 0, BLOCK), 0)
    assert ledger.has_quorum(0, Step.PREVOTE, BLOCK)


def test_few_rounds_ahead_of_a_validator_are_kept_the_highest() -> None:  # BFT-34
    ledger = VoteLedger(Electorate.of(FOUR))
    for round_ in range(1, ROUNDS_AHEAD_PER_VALIDATOR_MAX + 3):
        assert ledger.add(0, prevote(0, round_, None), 0)
    ledger.add(1, prevote(1, 1, None), 0)

    assert not ledger.add(0, prevote(0, 1, None), 0)
    assert sorted({round_ for round_, *_ in ledger.bitmaps()}) == [
        1,
        *range(3, ROUNDS_AHEAD_PER_VALIDATOR_MAX + 3),
    ]
    assert ledger.tally(1, Step.PREVOTE, None).voters == 0b0010


def test_old_rounds_are_forgotten_but_for_the_valid_values(stage: Playbook) -> None:  # BFT-34
    ledger = VoteLedger(Electorate.of(FOUR))
    for round_ in (0, 1, 2):
        ledger.add(0, prevote(0, round_, None), round_)
    ledger.forget_before(ROUNDS_KEPT_MAX + 1, kept_round=0)

    assert sorted({round_ for round_, *_ in ledger.bitmaps()}) == [0, 2]
    assert not ledger.add(1, prevote(1, 1, None), ROUNDS_KEPT_MAX + 1)


def test_a_proposal_far_ahead_is_not_kept(stage: Playbook) -> None:  # BFT-34
    stage.hear(proposal(ROUNDS_KEPT_MAX + 1, BLOCK))

    assert stage.machine.status.proposals == ()


def test_blocks_in_sight_are_bounded(stage: Playbook) -> None:  # BFT-34
    for number in range(BLOCKS_IN_SIGHT_MAX + 5):
        stage.play(ev.BlockArrived(block_named(number)))

    assert len(stage.machine._core.height.sights) == BLOCKS_IN_SIGHT_MAX


def test_peers_beyond_the_bound_are_not_remembered(stage: Playbook) -> None:  # BFT-30
    for number in range(PEERS_MAX + 1):
        stage.feed(ev.StatusReceived(ev.PeerId(b"%d" % number), Status(HEIGHT, 0, Phase.PROPOSE)))

    assert len(stage.machine._core.peers) == PEERS_MAX


@pytest.mark.parametrize(
    "event",
    [
        ev.VoteReceived(PEER, prevote(7, 0, BLOCK)),
        ev.VoteReceived(PEER, replace(prevote(0, 0, BLOCK), block=OTHER)),
        ev.VoteReceived(PEER, replace(prevote(0, 0, BLOCK), validator=address_at(1))),
        ev.VoteReceived(PEER, replace(prevote(0, 0, BLOCK), signature=NO_SIGNATURE)),
        ev.VoteReceived(PEER, replace(vote(0, Step.PREVOTE, 0, None, NEXT), round=1)),
        ev.ProposalReceived(PEER, replace(proposal(0, BLOCK), validator=address_at(1))),
        ev.ProposalReceived(PEER, replace(proposal(4, BLOCK), valid_round=2)),
        ev.ProposalReceived(PEER, replace(proposal(0, BLOCK), valid_round=0)),
        ev.CertificateReceived(PEER, certificate(0, BLOCK, (0, 1))),
    ],
)
def test_what_is_not_its_authors_changes_nothing_and_is_reported(  # BFT-2, BFT-5, BFT-35
    stage: Playbook, event: ev.Input
) -> None:
    before = stage.machine.status

    assert [type(effect) for effect in stage.play(event)] == [fx.Misbehaved]
    assert stage.machine.status == before


def test_a_second_proposal_does_not_replace_the_first(stage: Playbook) -> None:  # BFT-5
    stage.hear(proposal(0, BLOCK), proposal(0, OTHER))

    assert spoken(stage.hold(BLOCK, facts_of())) == [("PREVOTE", 0, BLOCK)]


def test_who_stands_outside_the_set_signs_nothing() -> None:  # BFT-35
    stage = Playbook(position=3, facts=height_facts(validators=validators(1, 1, 1)))
    stage.start()

    assert of_kind(stage.fire(TimerKind.PROPOSE), fx.Persist) == []
