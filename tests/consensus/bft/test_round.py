"""The lines of the paper, one validator at a time: what it says when, and what it stays silent about."""

from __future__ import annotations

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as ev
from coc.consensus.bft.inputs import TimerKind
from coc.consensus.bft.messages import Phase
from coc.primitives.seals import Step
from coc.primitives.types import Hash32, Height, Millis
from coc.primitives.votes import Proposal
from tests.consensus.bft.playbook import (
    BLOCK,
    HEIGHT,
    OTHER,
    PARENT,
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
    sent,
    spoken,
)


def lock_block(stage: Playbook) -> None:
    """Locked on BLOCK in round 0, then on to round 1 by nil precommits of the others."""
    stage.prevote_block()
    stage.hear(prevote(0, 0, BLOCK), prevote(1, 0, BLOCK))
    stage.hear(precommit(0, 0, None), precommit(1, 0, None))
    stage.fire(TimerKind.PRECOMMIT)


def next_round(stage: Playbook, round_: int) -> None:
    """End a round without a decision."""
    stage.hear(*(precommit(position, round_, None) for position in range(3)))
    stage.fire(TimerKind.PRECOMMIT, round_)


def test_a_new_valid_proposal_is_prevoted_after_execution(stage: Playbook) -> None:  # BFT-6, BFT-18, L22
    proposed = stage.hear(proposal(0, BLOCK))
    arrived = stage.play(ev.BlockArrived(BLOCK))

    assert of_kind(proposed, fx.Fetch) == [fx.Fetch(BLOCK, ())]
    assert of_kind(arrived, fx.Execute) == [fx.Execute(HEIGHT, BLOCK)]
    assert sent(proposed) == sent(arrived) == []
    assert spoken(stage.play(ev.Executed(BLOCK, facts_of()))) == [("PREVOTE", 0, BLOCK)]


def test_an_invalid_proposal_brings_a_prevote_for_nil(stage: Playbook) -> None:  # BFT-6, BFT-19
    stage.hear(proposal(0, BLOCK))

    assert spoken(stage.hold(BLOCK, None)) == [("PREVOTE", 0, None)]


def test_a_quorum_of_prevotes_locks_the_block_and_brings_a_precommit(stage: Playbook) -> None:  # BFT-8, L36
    stage.prevote_block()

    assert spoken(stage.hear(prevote(0, 0, BLOCK))) == []
    assert spoken(stage.hear(prevote(1, 0, BLOCK))) == [("PRECOMMIT", 0, BLOCK)]


def test_a_quorum_for_a_block_stands_in_for_its_proposal(stage: Playbook) -> None:  # BFT-8, BFT-17
    stage.fire(TimerKind.PROPOSE)
    heard = stage.hear(*(prevote(position, 0, BLOCK) for position in range(3)))

    assert of_kind(heard, fx.Fetch) == [fx.Fetch(BLOCK, ())]
    assert spoken(stage.hold(BLOCK, facts_of())) == [("PRECOMMIT", 0, BLOCK)]


def test_who_is_locked_prevotes_nil_for_another_new_block(stage: Playbook) -> None:  # BFT-6, L23
    lock_block(stage)

    assert spoken(stage.prevote_block(1, OTHER)) == [("PREVOTE", 1, None)]


def test_who_is_locked_prevotes_its_own_block_again(stage: Playbook) -> None:  # BFT-7, L29
    lock_block(stage)

    assert spoken(stage.hear(proposal(1, BLOCK, valid_round=0))) == [("PREVOTE", 1, BLOCK)]


def test_a_valid_round_without_its_proof_is_not_answered(stage: Playbook) -> None:  # BFT-7, L28
    lock_block(stage)
    stage.hear(proposal(1, OTHER, valid_round=0))

    assert spoken(stage.hold(OTHER, facts_of(0))) == []
    assert spoken(stage.fire(TimerKind.PROPOSE, 1)) == [("PREVOTE", 1, None)]


def test_a_later_proof_of_lock_frees_from_an_older_lock(stage: Playbook) -> None:  # BFT-7, L29
    lock_block(stage)
    stage.fire(TimerKind.PROPOSE, 1)
    stage.hear(*(prevote(position, 1, OTHER) for position in range(3)))
    next_round(stage, 1)
    stage.hear(proposal(2, OTHER, valid_round=1))

    assert spoken(stage.hold(OTHER, facts_of(1))) == [("PREVOTE", 2, OTHER)]


def test_an_older_proof_of_lock_does_not_free_from_a_newer_lock(stage: Playbook) -> None:  # BFT-7, L29
    stage.fire(TimerKind.PROPOSE)
    stage.hear(*(prevote(position, 0, OTHER) for position in range(3)))
    next_round(stage, 0)
    stage.prevote_block(1)
    stage.hear(prevote(0, 1, BLOCK), prevote(1, 1, BLOCK))
    next_round(stage, 1)
    stage.hear(proposal(2, OTHER, valid_round=0))

    assert spoken(stage.hold(OTHER, facts_of(0))) == [("PREVOTE", 2, None)]


def what_round_3_proposes(stage: Playbook) -> tuple[Hash32 | None, int]:
    """From round 1 on nobody else proposes; the block of our own proposal, and its valid round."""
    next_round(stage, 1)
    stage.hear(*(precommit(position, 2, None) for position in range(3)))
    proposed = next(iter(sent(stage.fire(TimerKind.PRECOMMIT, 2))))
    assert isinstance(proposed, Proposal)
    return proposed.block, proposed.valid_round


def test_a_proof_of_lock_heard_a_round_too_late_is_proposed_again(stage: Playbook) -> None:  # BFT-44
    stage.prevote_block()
    next_round(stage, 0)
    stage.hear(prevote(0, 0, BLOCK), prevote(1, 0, BLOCK))

    assert what_round_3_proposes(stage) == (BLOCK, 0)


def test_a_proof_of_lock_heard_too_late_does_not_lock(stage: Playbook) -> None:  # BFT-44
    stage.prevote_block()
    next_round(stage, 0)
    stage.hear(prevote(0, 0, BLOCK), prevote(1, 0, BLOCK))

    assert spoken(stage.prevote_block(1, OTHER)) == [("PREVOTE", 1, OTHER)]


def test_a_newer_valid_value_stays_when_an_older_proof_is_heard(stage: Playbook) -> None:  # BFT-44
    stage.prevote_block(0, OTHER)
    next_round(stage, 0)
    stage.prevote_block(1)
    stage.hear(prevote(0, 1, BLOCK), prevote(1, 1, BLOCK))
    stage.hear(prevote(0, 0, OTHER), prevote(1, 0, OTHER))

    assert what_round_3_proposes(stage) == (BLOCK, 1)


def test_a_block_in_the_making_gives_way_to_a_valid_value() -> None:  # BFT-15, BFT-44
    stage = Playbook(position=1)
    stage.start()
    stage.prevote_block()
    stage.hear(*(precommit(position, 0, None) for position in (0, 2, 3)))
    assert of_kind(stage.fire(TimerKind.PRECOMMIT), fx.Build) == [fx.Build(HEIGHT, 1, PARENT, None)]
    stage.hear(prevote(0, 0, BLOCK), prevote(2, 0, BLOCK))

    proposed = sent(stage.play(ev.Built(HEIGHT, 1, OTHER, facts_of(1))))[0]
    assert isinstance(proposed, Proposal)
    assert (proposed.block, proposed.valid_round) == (BLOCK, 0)


def test_a_quorum_of_nil_prevotes_brings_a_precommit_for_nil(stage: Playbook) -> None:  # BFT-9, L44
    stage.fire(TimerKind.PROPOSE)
    stage.hear(prevote(0, 0, None))

    assert spoken(stage.hear(prevote(1, 0, None))) == [("PRECOMMIT", 0, None)]


def test_mixed_prevotes_start_a_timer_that_ends_in_a_nil_precommit(
    stage: Playbook,
) -> None:  # BFT-9, L34, L61
    stage.fire(TimerKind.PROPOSE)
    stage.hear(prevote(0, 0, BLOCK))
    heard = stage.hear(prevote(1, 0, None))
    timer = ev.Timer(TimerKind.PREVOTE, HEIGHT, 0)

    assert fx.SetTimer(timer, Millis(stage.now_ms + RULES.prevote.at(0))) in heard
    assert spoken(stage.fire(TimerKind.PREVOTE)) == [("PRECOMMIT", 0, None)]


def test_the_propose_timer_ends_in_a_nil_prevote(stage: Playbook) -> None:  # BFT-9, L57
    assert spoken(stage.fire(TimerKind.PROPOSE)) == [("PREVOTE", 0, None)]


def test_mixed_precommits_start_a_timer_that_ends_in_the_next_round(
    stage: Playbook,
) -> None:  # BFT-10, L47, L65
    stage.hear(precommit(0, 0, BLOCK), precommit(1, 0, None))
    heard = stage.hear(precommit(2, 0, None))
    timer = ev.Timer(TimerKind.PRECOMMIT, HEIGHT, 0)

    assert fx.SetTimer(timer, Millis(stage.now_ms + RULES.precommit.at(0))) in heard
    stage.fire(TimerKind.PRECOMMIT)
    assert stage.machine.status.round == 1


def test_a_quorum_of_precommits_decides(stage: Playbook) -> None:  # BFT-11, L49
    stage.prevote_block()
    decided = of_kind(stage.hear(*(precommit(position, 0, BLOCK) for position in range(3))), fx.Decide)

    assert [(effect.height, effect.block) for effect in decided] == [(HEIGHT, BLOCK)]
    assert decided[0].certificate.signers() == [0, 1, 2]
    assert stage.machine.status.phase is Phase.DECIDED


def test_a_quorum_of_an_earlier_round_decides_too(stage: Playbook) -> None:  # BFT-11, L49
    stage.prevote_block()
    stage.hear(precommit(0, 0, BLOCK), precommit(1, 0, BLOCK), precommit(3, 0, None))
    stage.fire(TimerKind.PRECOMMIT)

    assert stage.machine.status.round == 1
    assert of_kind(stage.hear(precommit(2, 0, BLOCK)), fx.Decide) != []


def test_a_certified_block_that_we_find_invalid_is_not_decided(stage: Playbook) -> None:  # BFT-11
    stage.hear(proposal(0, BLOCK))
    stage.hold(BLOCK, None)
    heard = stage.hear(*(precommit(position, 0, BLOCK) for position in range(3)))

    assert of_kind(heard, fx.Decide) == []
    assert len(of_kind(heard, fx.Alarm)) == 1


def test_timeouts_grow_with_the_round_up_to_their_cap() -> None:  # BFT-12
    assert [RULES.propose.at(round_) for round_ in (0, 1, 2, 15, 10**9)] == [500, 600, 700, 2_000, 2_000]


def test_the_first_propose_timer_runs_from_when_the_block_is_due() -> None:  # BFT-13
    stage = Playbook(now_ms=10_400)
    timer = ev.Timer(TimerKind.PROPOSE, HEIGHT, 0)

    assert fx.SetTimer(timer, Millis(11_500)) in stage.start()


def test_a_parent_from_the_future_delays_by_one_interval_only() -> None:  # BFT-13
    stage = Playbook(facts=height_facts(parent_time_ms=70_000))
    timer = ev.Timer(TimerKind.PROPOSE, HEIGHT, 0)

    assert fx.SetTimer(timer, Millis(stage.now_ms + 1_000 + 500)) in stage.start()


def test_the_proposer_builds_when_the_block_is_due() -> None:  # BFT-13, BFT-15, L18
    stage = Playbook(position=0, now_ms=10_400)
    timer = ev.Timer(TimerKind.DUE, HEIGHT, 0)

    assert fx.SetTimer(timer, Millis(11_000)) in stage.start()
    assert of_kind(stage.fire(TimerKind.DUE, after_ms=600), fx.Build) == [fx.Build(HEIGHT, 0, PARENT, None)]


def test_a_complete_proposal_outlives_its_timer(stage: Playbook) -> None:  # BFT-14
    stage.hear(proposal(0, BLOCK))
    stage.play(ev.BlockArrived(BLOCK))

    assert spoken(stage.fire(TimerKind.PROPOSE, after_ms=5_000)) == []
    assert spoken(stage.play(ev.Executed(BLOCK, facts_of()))) == [("PREVOTE", 0, BLOCK)]


def test_a_proposal_whose_block_is_withheld_does_not(stage: Playbook) -> None:  # BFT-14
    stage.hear(proposal(0, BLOCK))

    assert spoken(stage.fire(TimerKind.PROPOSE)) == [("PREVOTE", 0, None)]


def test_the_proposer_proposes_and_prevotes_what_it_built() -> None:  # BFT-15, L19
    stage = Playbook(position=0)
    assert of_kind(stage.start(), fx.Build) == [fx.Build(HEIGHT, 0, PARENT, None)]
    built = stage.play(ev.Built(HEIGHT, 0, BLOCK, facts_of()))

    assert spoken(built) == [("PROPOSAL", 0, BLOCK), ("PREVOTE", 0, BLOCK)]


def test_the_proposer_of_a_later_round_proposes_its_valid_value(stage: Playbook) -> None:  # BFT-15, L16
    lock_block(stage)
    next_round(stage, 1)
    stage.hear(*(precommit(position, 2, None) for position in range(3)))
    proposed = list(sent(stage.fire(TimerKind.PRECOMMIT, 2)))

    assert proposed[0].block == BLOCK
    assert getattr(proposed[0], "valid_round", None) == 0


def test_a_block_finished_after_its_round_is_not_proposed() -> None:  # BFT-15
    stage = Playbook(position=0)
    stage.start()
    stage.hear(*(precommit(position, 0, None) for position in (1, 2, 3)))
    stage.fire(TimerKind.PRECOMMIT)

    assert spoken(stage.play(ev.Built(HEIGHT, 0, BLOCK, facts_of()))) == []


def test_more_than_a_third_in_later_rounds_takes_us_along(stage: Playbook) -> None:  # BFT-16, L55
    stage.hear(prevote(0, 7, None))
    assert stage.machine.status.round == 0

    stage.hear(precommit(1, 5, None))
    assert stage.machine.status.round == 5


def test_a_block_far_in_the_future_is_not_prevoted(stage: Playbook) -> None:  # BFT-19
    late = stage.now_ms + RULES.clock_tolerance_ms + 1
    stage.hear(proposal(0, BLOCK))

    assert spoken(stage.hold(BLOCK, facts_of(time_ms=late))) == [("PREVOTE", 0, None)]


def test_a_new_block_of_another_round_is_not_prevoted(stage: Playbook) -> None:  # BFT-24
    next_round(stage, 0)
    stage.hear(proposal(1, BLOCK))

    assert spoken(stage.hold(BLOCK, facts_of(0))) == [("PREVOTE", 1, None)]


def test_a_block_proposed_again_may_not_be_younger_than_its_proof(stage: Playbook) -> None:  # BFT-24
    stage.hear(*(prevote(position, 0, BLOCK) for position in range(3)))
    next_round(stage, 0)
    stage.hear(proposal(1, BLOCK, valid_round=0))

    assert spoken(stage.hold(BLOCK, facts_of(1))) == [("PREVOTE", 1, None)]


def test_a_block_of_somebody_else_than_its_rounds_proposer_is_invalid(stage: Playbook) -> None:  # BFT-24
    stage.hear(proposal(0, BLOCK))

    assert spoken(stage.hold(BLOCK, facts_of(0, proposer=2))) == [("PREVOTE", 0, None)]


def test_a_watcher_decides_and_says_nothing() -> None:  # BFT-1
    stage = Playbook(position=None)
    stage.start()
    stage.prevote_block()
    heard = stage.hear(*(precommit(position, 0, BLOCK) for position in range(3)))

    assert len(of_kind(heard, fx.Decide)) == 1
    assert sent(heard) == []


def test_timers_of_other_heights_and_rounds_change_nothing(stage: Playbook) -> None:  # BFT-9
    old = ev.Timer(TimerKind.PROPOSE, Height(HEIGHT - 1), 0)

    assert stage.play(ev.TimerFired(old)) == stage.fire(TimerKind.PROPOSE, 1) == []


def test_a_certified_block_that_is_invalid_here_is_not_decided_and_a_person_is_told() -> None:
    """BFT-11: then this node differs from all others."""
    stage = Playbook()
    stage.start()
    stage.hear(proposal(0, BLOCK))
    stage.hold(BLOCK, None)
    effects = stage.play(ev.CertificateReceived(PEER, certificate(0, BLOCK, (0, 1, 2))))
    assert of_kind(effects, fx.Decide) == []
    assert ["differs" in alarm.reason for alarm in of_kind(effects, fx.Alarm)] == [True]
    assert of_kind(stage.fire(TimerKind.RESEND), fx.Alarm) == []
    assert stage.machine.has_diverged


def test_a_node_that_differs_signs_nothing_until_the_next_height_opens() -> None:  # BFT-11
    stage = Playbook()
    stage.start()
    assert stage.play(ev.Diverged()) == []
    assert spoken([*stage.hear(proposal(0, BLOCK)), *stage.hold(BLOCK, facts_of())]) == []
    assert spoken(stage.fire(TimerKind.PROPOSE)) == []
    stage.play(ev.HeightOpened(height_facts(Height(HEIGHT + 1))))
    assert not stage.machine.has_diverged


def test_each_vote_that_counts_is_told_once_by_step_and_those_for_no_block_beside(stage: Playbook) -> None:
    stage.prevote_block()
    stage.hear(prevote(0, 0, BLOCK), prevote(0, 0, BLOCK), prevote(1, 0, BLOCK))
    stage.hear(precommit(0, 0, None), precommit(1, 0, BLOCK))

    told = stage.machine.vote_count
    assert told.all == {Step.PREVOTE: 3, Step.PRECOMMIT: 3}
    assert told.nil == {Step.PRECOMMIT: 1}


def test_a_precommit_that_comes_after_the_decision_is_told_too(stage: Playbook) -> None:  # BFT-27
    stage.prevote_block()
    stage.hear(prevote(0, 0, BLOCK), prevote(1, 0, BLOCK), precommit(0, 0, BLOCK), precommit(1, 0, BLOCK))
    stage.play(ev.HeightOpened(height_facts(Height(HEIGHT + 1), BLOCK)))
    before = stage.machine.vote_count.all[Step.PRECOMMIT]
    stage.hear(precommit(2, 0, BLOCK), precommit(2, 0, BLOCK))

    assert stage.machine.vote_count.all[Step.PRECOMMIT] == before + 1
