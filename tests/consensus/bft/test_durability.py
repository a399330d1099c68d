"""What is durable before a message leaves, and what a restart brings back."""

from __future__ import annotations

import pytest

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as ev
from coc.consensus.bft.inputs import TimerKind
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.rules import Lock
from coc.consensus.bft.wal import (
    BlockKept,
    EvidenceKept,
    Intent,
    ProposalKept,
    Record,
    VoteKept,
    WalRecordInvalid,
    decode_record,
    encode_record,
)
from coc.primitives.errors import PrimitivesError
from coc.primitives.limits_consensus import EVIDENCE_KEPT_ITEMS_MAX, WAL_RECORD_BYTES_MAX
from coc.primitives.seals import SignRequest, Step
from coc.primitives.types import Height
from coc.primitives.votes import Evidence, evidence_of
from tests.consensus.bft.playbook import (
    BLOCK,
    GENESIS,
    HEIGHT,
    OTHER,
    PEER,
    Playbook,
    facts_of,
    intents,
    of_kind,
    precommit,
    prevote,
    proposal,
    spoken,
)


def wal_of(effects: list[fx.Effect]) -> tuple[Record, ...]:
    """What the effects put into the log."""
    records: list[Record] = []
    for effect in effects:
        if isinstance(effect, fx.Persist):
            records += effect.records
        elif isinstance(effect, fx.Append):
            records.append(effect.record)
    return tuple(records)


def locked_records() -> tuple[Record, ...]:
    """The log of a validator that prevoted and precommitted BLOCK in round 0."""
    stage = Playbook()
    effects = stage.start() + stage.prevote_block() + stage.hear(prevote(0, 0, BLOCK), prevote(1, 0, BLOCK))
    return wal_of(effects)


def test_a_vote_is_persisted_then_signed_then_appended_then_sent(stage: Playbook) -> None:  # BFT-20
    stage.hear(proposal(0, BLOCK))
    stage.feed(ev.BlockArrived(BLOCK))
    own = prevote(3, 0, BLOCK)
    request = own.request(GENESIS)
    needs = (BlockKept(HEIGHT, BLOCK), ProposalKept(proposal(0, BLOCK)))

    assert stage.feed(ev.Executed(BLOCK, facts_of())) == [
        fx.Persist(1, (*needs, Intent(request, None, None)))
    ]
    assert stage.feed(ev.Persisted(1)) == [fx.Sign(request)]
    assert stage.feed(stage.signature(request))[:2] == [fx.Append(VoteKept(own)), fx.Broadcast(own)]


def test_the_next_message_waits_until_this_one_is_out(stage: Playbook) -> None:  # BFT-20
    stage.feed(ev.TimerFired(ev.Timer(TimerKind.PROPOSE, HEIGHT, 0)))
    for position in range(3):
        assert of_kind(stage.feed(ev.VoteReceived(PEER, prevote(position, 0, None))), fx.Persist) == []
    request = prevote(3, 0, None).request(GENESIS)
    stage.feed(ev.Persisted(1))
    following = stage.feed(stage.signature(request))

    assert intents(following) == [precommit(3, 0, None).request(GENESIS)]


def test_answers_that_nobody_waits_for_change_nothing(stage: Playbook) -> None:  # BFT-20
    request = prevote(3, 0, BLOCK).request(GENESIS)

    assert stage.feed(ev.Persisted(7)) == stage.feed(stage.signature(request)) == []
    assert stage.feed(ev.PersistFailed(7, "disk full")) == []
    assert stage.feed(ev.SignatureRefused(request, "mark")) == []


def test_a_lock_is_persisted_with_the_votes_that_brought_it(stage: Playbook) -> None:  # BFT-21
    stage.prevote_block()
    locking = of_kind(stage.hear(prevote(0, 0, BLOCK), prevote(1, 0, BLOCK)), fx.Persist)[0]
    lock = Lock(0, BLOCK)

    assert locking.records == (
        VoteKept(prevote(0, 0, BLOCK)),
        VoteKept(prevote(1, 0, BLOCK)),
        Intent(precommit(3, 0, BLOCK).request(GENESIS), lock, lock),
    )


def test_a_restart_brings_back_round_step_lock_and_votes() -> None:  # BFT-21
    stage = Playbook(records=locked_records())
    stage.start()
    status = stage.machine.status

    assert (status.round, status.phase, status.proposals, status.blocks) == (
        0,
        Phase.PRECOMMIT,
        (0,),
        (BLOCK,),
    )
    assert {(entry.step, entry.voters) for entry in status.votes} == {
        (Step.PREVOTE, 0b1011),
        (Step.PRECOMMIT, 0b1000),
    }


def test_a_restart_keeps_the_lock() -> None:  # BFT-21
    stage = Playbook(records=locked_records())
    stage.start()
    stage.hear(*(precommit(position, 0, None) for position in range(3)))
    stage.fire(TimerKind.PRECOMMIT)

    assert spoken(stage.prevote_block(1, OTHER)) == [("PREVOTE", 1, None)]


def test_records_of_another_height_are_left_out() -> None:  # BFT-21
    request = SignRequest(GENESIS, Height(HEIGHT - 1), 9, Step.PRECOMMIT, None)
    stage = Playbook(records=(Intent(request, None, None),))

    assert of_kind(stage.start(), fx.Sign) == []
    assert stage.machine.status.round == 0


def double_vote(position: int, round_: int = 0) -> Evidence:
    return evidence_of(prevote(position, round_, BLOCK), prevote(position, round_, OTHER))


def test_evidence_that_waits_is_written_with_every_intent_until_a_block_has_it(
    stage: Playbook,
) -> None:  # BFT-45
    evidence = double_vote(0)
    stage.hear(evidence.first, evidence.second)
    (prevoted,) = of_kind(stage.fire(TimerKind.PROPOSE), fx.Persist)
    assert prevoted.records[0] == EvidenceKept((evidence,))

    precommitted = of_kind(stage.hear(*(prevote(position, 0, None) for position in (1, 2))), fx.Persist)
    assert precommitted[0].records[0] == EvidenceKept((evidence,))

    stage.feed(ev.EvidenceSettled((evidence.offence(),)))
    stage.hear(*(precommit(position, 0, None) for position in (1, 2)))
    (next_round,) = of_kind(stage.fire(TimerKind.PRECOMMIT) + stage.fire(TimerKind.PROPOSE, 1), fx.Persist)
    assert not any(isinstance(record, EvidenceKept) for record in next_round.records)


def test_the_oldest_evidence_is_written_where_much_waits(stage: Playbook) -> None:  # BFT-45
    pieces = [double_vote(position, round_) for round_ in range(40) for position in range(3)]
    for piece in pieces:
        stage.play(ev.EvidenceReceived(PEER, piece))
    (written,) = of_kind(stage.fire(TimerKind.PROPOSE), fx.Persist)
    assert written.records[0] == EvidenceKept(tuple(pieces[:EVIDENCE_KEPT_ITEMS_MAX]))
    assert len(encode_record(written.records[0])) <= WAL_RECORD_BYTES_MAX


def test_a_restart_brings_back_evidence_of_whatever_height_and_passes_a_copy_on_to_nobody() -> None:  # BFT-45
    evidence = double_vote(0)
    older = Intent(SignRequest(GENESIS, Height(HEIGHT - 1), 9, Step.PRECOMMIT, None), None, None)
    stage = Playbook(records=(EvidenceKept((evidence,)), older))
    stage.start()

    assert stage.machine.pending_evidence == (evidence,)
    assert stage.play(ev.EvidenceReceived(PEER, evidence)) == []


def test_the_last_intent_without_signature_is_signed_again() -> None:  # BFT-22
    records = locked_records()
    assert isinstance(records[-1], VoteKept)
    stage = Playbook(records=records[:-1])
    started = stage.start()

    assert of_kind(started, fx.Sign) == [fx.Sign(precommit(3, 0, BLOCK).request(GENESIS))]
    assert spoken(started) == [("PRECOMMIT", 0, BLOCK)]


def test_a_signed_intent_is_not_signed_again() -> None:  # BFT-22
    stage = Playbook(records=locked_records())

    assert of_kind(stage.start(), fx.Sign) == []


def test_an_unsigned_proposal_is_signed_again_and_voted_for() -> None:  # BFT-22
    first = Playbook(position=0)
    first.start()
    built = first.play(ev.Built(HEIGHT, 0, BLOCK, facts_of()))
    records = of_kind(built, fx.Persist)[0].records
    stage = Playbook(position=0, records=records)
    started = stage.start()

    assert of_kind(started, fx.Build) == []
    assert spoken(started) == [("PROPOSAL", 0, BLOCK)]
    assert spoken(stage.play(ev.Executed(BLOCK, facts_of()))) == [("PREVOTE", 0, BLOCK)]


def test_a_place_with_an_intent_is_never_signed_for_anything_else() -> None:  # BFT-1, BFT-23
    voted = wal_of(Playbook().start()) + wal_of(_nil_prevote())
    stage = Playbook(records=voted)
    stage.start()

    assert stage.machine.status.phase is Phase.PREVOTE
    assert spoken(stage.prevote_block()) == spoken(stage.fire(TimerKind.PROPOSE)) == []


def test_a_failing_log_is_an_alarm_and_is_tried_again(stage: Playbook) -> None:  # BFT-25
    asked = of_kind(stage.feed(ev.TimerFired(ev.Timer(TimerKind.PROPOSE, HEIGHT, 0))), fx.Persist)
    failed = stage.feed(ev.PersistFailed(asked[0].sequence, "no space left"))

    assert [type(effect) for effect in failed] == [fx.Alarm]
    again = stage.fire(TimerKind.RESEND)
    assert intents(again) == [prevote(3, 0, None).request(GENESIS)]
    assert spoken(again) == [("PREVOTE", 0, None)]


def test_nothing_is_tried_again_while_the_log_works(stage: Playbook) -> None:  # BFT-25
    stage.feed(ev.TimerFired(ev.Timer(TimerKind.PROPOSE, HEIGHT, 0)))

    assert of_kind(stage.feed(ev.TimerFired(ev.Timer(TimerKind.RESEND, Height(0), 0))), fx.Persist) == []


def test_a_refused_message_is_given_up_and_the_machine_goes_on(stage: Playbook) -> None:  # BFT-36
    stage.feed(ev.TimerFired(ev.Timer(TimerKind.PROPOSE, HEIGHT, 0)))
    stage.feed(ev.Persisted(1))
    refused = stage.feed(ev.SignatureRefused(prevote(3, 0, None).request(GENESIS), "the mark is above"))

    assert [type(effect) for effect in refused] == [fx.Alarm]
    assert spoken(stage.hear(*(prevote(position, 0, None) for position in range(3)))) == [
        ("PRECOMMIT", 0, None)
    ]


@pytest.mark.parametrize(
    "record",
    [
        Intent(prevote(3, 0, None).request(GENESIS), None, None),
        Intent(proposal(3, BLOCK, 1).request(GENESIS), Lock(0, OTHER), Lock(1, BLOCK)),
        BlockKept(HEIGHT, BLOCK),
        ProposalKept(proposal(2, BLOCK, 0)),
        VoteKept(precommit(1, 5, BLOCK)),
        EvidenceKept((double_vote(0), evidence_of(proposal(1, BLOCK), proposal(1, OTHER)))),
    ],
)
def test_a_record_survives_its_encoding(record: Record) -> None:  # BFT-21
    assert decode_record(encode_record(record)) == record


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x09\xc0", b"\x01\xc0", b"\x02\xc0", b"\x03\x80", b"\x01\xff"]
)
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    with pytest.raises((WalRecordInvalid, PrimitivesError)):
        decode_record(data)


def test_a_record_beyond_its_limit_is_refused() -> None:
    with pytest.raises(WalRecordInvalid, match=str(WAL_RECORD_BYTES_MAX)):
        decode_record(bytes(WAL_RECORD_BYTES_MAX + 1))


def _nil_prevote() -> list[fx.Effect]:
    stage = Playbook()
    stage.start()
    return stage.fire(TimerKind.PROPOSE)
