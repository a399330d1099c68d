"""What no honest peer sends is reported and has no effect; what honest ones may do is not (DHT-21, 22)."""

from __future__ import annotations

from itertools import islice

import pytest

from coc.primitives.frozen import replace
from coc.primitives.limits_dht import (
    BARRED_MS_MAX,
    BARRED_PEERS_MAX,
    BURST_TOKENS_MAX,
    DHT_MESSAGE_BYTES_MAX,
    DROPPED_MESSAGES_MAX,
    STORE_TOKENS,
    TOKENS_PER_SECOND,
)
from coc.primitives.types import Hash32, PeerId
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.budget import Budget
from coc.wire.dht.endpoints import endpoint_key
from coc.wire.dht.messages import (
    Answer,
    Body,
    FindNode,
    Nodes,
    Ping,
    Pong,
    Store,
    Stored,
    Values,
    Verdict,
    encode_message,
)
from coc.wire.dht.records import Record
from coc.wire.dht.state import Calls
from tests.wire.dht.playbook import (
    OWN,
    Said,
    Stage,
    bodies,
    nearest_first,
    of_kind,
    reasons,
    said,
    signer,
    strangers,
    timers,
)

TARGET = Hash32(b"t" * 32)
LIAR, HONEST, *REST = [signer(number) for number in range(5)]
CONTACTS = nearest_first(TARGET, [one.contact for one in REST])
OTHERS = list(islice(strangers(bucket=255), 3))


def asked(stage: Stage) -> Said:
    """A lookup's question to the liar."""
    stage.up(LIAR)
    [question] = said(stage.look_up(TARGET))
    return question


def asked_for_value(stage: Stage, key: Hash32) -> Said:
    stage.up(LIAR)
    [question] = said(stage.feed(ev.FindValue(7, key)))
    return question


def forged(record: Record) -> Record:
    return replace(record, signature=LIAR.endpoint(sequence=99).signature)


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff\xc1\x01", b"\x01\xc2\x01\x01", bytes(DHT_MESSAGE_BYTES_MAX + 1)]
)
def test_bytes_that_are_no_message_are_a_fault(stage: Stage, data: bytes) -> None:  # DHT-21
    stage.up(LIAR)
    effects = stage.feed(ev.MessageReceived(LIAR.id, data))

    assert [one.peer for one in of_kind(effects, fx.Misbehaved)] == [LIAR.id]
    assert stage.ids() == []


@pytest.mark.parametrize(
    "answer",
    [
        Pong(),
        Stored(Verdict.HELD),
        Values((), ()),
        Nodes(CONTACTS[::-1]),
        Nodes((CONTACTS[0], CONTACTS[0])),
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_a_fault(stage: Stage, answer: Answer) -> None:  # DHT-21
    effects = stage.reply(asked(stage), answer)

    assert [one.peer for one in of_kind(effects, fx.Misbehaved)] == [LIAR.id]
    assert fx.LookedUp(7, ()) in effects
    assert of_kind(effects, fx.Dial) == []


def test_a_forged_record_in_an_answer_is_a_fault_and_is_not_found(stage: Stage) -> None:  # DHT-21, DHT-25
    record = forged(HONEST.endpoint())
    effects = stage.reply(asked_for_value(stage, record.claim.key), Values((record,), ()))

    assert len(reasons(effects)) == 1
    assert fx.Found(7, ()) in effects


def test_a_record_under_another_key_than_asked_for_is_a_fault(stage: Stage) -> None:  # DHT-21
    record = LIAR.endpoint()
    effects = stage.reply(asked_for_value(stage, TARGET), Values((record,), ()))

    assert reasons(effects) == ["it answers with a record under another key"]


def test_two_records_of_one_publisher_in_one_answer_are_a_fault(stage: Stage) -> None:  # DHT-21
    records = (HONEST.endpoint(1), HONEST.endpoint(2))
    effects = stage.reply(asked_for_value(stage, records[0].claim.key), Values(records, ()))

    assert reasons(effects) == ["it answers with two records of one publisher"]


def test_contacts_beside_values_are_held_to_the_same_order(stage: Stage) -> None:  # DHT-21
    effects = stage.reply(asked_for_value(stage, TARGET), Values((), CONTACTS[::-1]))

    assert len(reasons(effects)) == 1


@pytest.mark.parametrize("record", [HONEST.endpoint(), forged(LIAR.endpoint())])
def test_storing_what_is_not_ones_own_or_not_signed_is_a_fault(stage: Stage, record: Record) -> None:
    # DHT-15, DHT-21
    stage.up(LIAR)
    effects = stage.hear(LIAR, 1, Store(record))

    assert len(reasons(effects)) == 1
    assert of_kind(effects, fx.Send) == []
    assert stage.dht.records == 0


def test_storing_under_the_key_of_another_is_a_fault(stage: Stage) -> None:  # DHT-15, DHT-21
    stage.up(LIAR)
    claim = replace(LIAR.endpoint().claim, key=endpoint_key(HONEST.public_key))

    assert len(reasons(stage.hear(LIAR, 1, Store(LIAR.sign(claim))))) == 1
    assert stage.dht.records == 0


def test_a_liar_is_neither_heard_nor_entered_for_half_an_hour(stage: Stage) -> None:  # DHT-21
    stage.up(LIAR)
    stage.feed(ev.MessageReceived(LIAR.id, b""))
    assert stage.hear(LIAR, 1, Ping()) == []
    stage.feed(ev.PeerGone(LIAR.id))
    stage.up(LIAR)
    assert stage.ids() == []
    stage.now_ms += BARRED_MS_MAX
    stage.up(LIAR)

    assert stage.ids() == [LIAR.id]
    assert bodies(stage.hear(LIAR, 1, Ping())) == [Pong()]


def test_a_liar_is_not_asked_because_others_name_it(stage: Stage) -> None:  # DHT-21
    stage.up(LIAR)
    stage.feed(ev.MessageReceived(LIAR.id, b""))
    stage.up(HONEST)
    [question] = said(stage.look_up(TARGET))
    effects = stage.reply(question, Nodes((LIAR.contact,)))

    assert effects == [fx.LookedUp(7, (HONEST.contact,))]


def test_all_that_was_asked_of_a_liar_fails_at_once(stage: Stage) -> None:  # DHT-21
    stage.up(LIAR)
    for ticket in range(3):
        stage.look_up(TARGET, ticket)
    effects = stage.feed(ev.MessageReceived(LIAR.id, b""))

    assert [one.ticket for one in of_kind(effects, fx.LookedUp)] == [0, 1, 2]


def test_a_spare_takes_the_place_of_a_liar(stage: Stage) -> None:  # DHT-21
    crowd = list(islice(strangers(bucket=255), 21))
    stage.up(*crowd)
    effects = stage.feed(ev.MessageReceived(crowd[3].id, b""))

    assert fx.PeersDiscovered((crowd[20].contact,)) in effects


def test_a_bounded_number_of_liars_is_remembered() -> None:  # DHT-21
    calls = Calls()
    names = [PeerId(number.to_bytes(32, "big")) for number in range(BARRED_PEERS_MAX + 1)]
    for name in names:
        calls.bar(name, 0)

    assert len(calls.barred) == BARRED_PEERS_MAX
    assert not calls.is_barred(names[0], 1)
    assert calls.is_barred(names[1], 1)


def spam(stage: Stage, body: Body, count: int) -> list[fx.Effect]:
    return [effect for number in range(count) for effect in stage.hear(LIAR, number, body)]


def test_a_peer_has_a_burst_of_requests_and_then_so_many_a_second(stage: Stage) -> None:  # DHT-22
    stage.up(LIAR)

    assert len(said(spam(stage, Ping(), 2 * BURST_TOKENS_MAX))) == BURST_TOKENS_MAX
    stage.now_ms += 1_000
    assert len(said(spam(stage, FindNode(TARGET), 2 * BURST_TOKENS_MAX))) == TOKENS_PER_SECOND


def test_storing_costs_more_than_asking(stage: Stage) -> None:  # DHT-22
    stage.up(LIAR)

    assert (
        len(said(spam(stage, Store(LIAR.endpoint()), BURST_TOKENS_MAX))) == BURST_TOKENS_MAX // STORE_TOKENS
    )


def test_one_peers_flood_does_not_cost_another_its_answers(stage: Stage) -> None:  # DHT-22
    stage.up(LIAR, HONEST)
    spam(stage, Ping(), 2 * BURST_TOKENS_MAX)

    assert bodies(stage.hear(HONEST, 1, Ping())) == [Pong()]


def test_a_flood_without_end_is_a_fault(stage: Stage) -> None:  # DHT-21, DHT-22
    stage.up(LIAR)
    assert reasons(spam(stage, Ping(), BURST_TOKENS_MAX + DROPPED_MESSAGES_MAX - 1)) == []

    assert reasons(spam(stage, Ping(), 1)) == ["it sends more than its budget, without end"]


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_flood_of_answers_that_nobody_asked_for_is_a_fault(stage: Stage, is_asked: bool) -> None:  # DHT-22
    stage.up(LIAR)
    if is_asked:
        stage.look_up(TARGET)

    assert len(reasons(spam(stage, Pong(), BURST_TOKENS_MAX + DROPPED_MESSAGES_MAX))) == 1


def test_answers_that_were_asked_for_are_free(stage: Stage) -> None:  # DHT-22
    stage.up(LIAR)
    for ticket in range(3 * BURST_TOKENS_MAX):
        [question] = said(stage.look_up(TARGET, ticket))
        assert stage.reply(question, Nodes(())) == [fx.LookedUp(ticket, (LIAR.contact,))]

    assert len(said(spam(stage, Ping(), BURST_TOKENS_MAX))) == BURST_TOKENS_MAX


def test_a_clock_that_is_set_back_gives_no_budget_and_takes_none() -> None:  # DHT-22
    budget = Budget(10_000)
    for _ in range(BURST_TOKENS_MAX - 1):
        assert budget.take(10_000, 1)

    assert budget.take(5_000, 1)
    assert not budget.take(5_000, 1)
    assert budget.take(6_000, TOKENS_PER_SECOND)
    assert not budget.take(6_000, 1)


def test_a_budget_never_grows_beyond_its_burst() -> None:  # DHT-22
    budget = Budget(0)

    assert not budget.take(10**9, BURST_TOKENS_MAX + 1)
    assert budget.take(10**9, BURST_TOKENS_MAX)


def test_a_guessed_request_number_of_another_peer_changes_nothing(stage: Stage) -> None:  # DHT-2, DHT-21
    stage.up(HONEST)
    effects = stage.look_up(TARGET)
    [question] = said(effects)
    stage.up(LIAR)
    stage.feed(ev.MessageReceived(LIAR.id, encode_message(question.request, Nodes(CONTACTS))))

    assert stage.reply(question, Nodes(())) == [fx.LookedUp(7, (HONEST.contact,))]
    assert timers(effects, ev.TimerKind.REQUEST)[0].timer.number == question.request


def test_request_numbers_differ_between_nodes_and_do_not_count_up(stage: Stage) -> None:  # DHT-2
    stage.up(*OTHERS)
    numbers = [question.request for question in said(stage.look_up(TARGET))]

    assert len(numbers) == len(set(numbers)) == len(OTHERS)
    assert max(numbers) > 2**32
    assert OWN.id not in {question.peer for question in said(stage.look_up(TARGET, 8))}
