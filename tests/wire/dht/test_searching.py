"""Lookups through the machine: requests, dials, timers, and how many at a time (DHT-9 to DHT-13, DHT-25)."""

from __future__ import annotations

from itertools import islice

from coc.primitives.limits_dht import (
    CHORES_WAITING_MAX,
    DIAL_MS_MAX,
    DIALS_MAX,
    LOOKUP_MS_MAX,
    LOOKUPS_MAX,
    LOOKUPS_WAITING_MAX,
    PATH_ASKS_MAX,
    REQUEST_MS_MAX,
    UNREACHABLE_ADDRESSES_MAX,
    UNREACHABLE_MS_MAX,
)
from coc.primitives.types import Hash32, Millis
from coc.wire.dht import chores
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.asking import ask, give_up_dial, is_unreachable
from coc.wire.dht.endpoints import endpoint_key
from coc.wire.dht.hosts import Contact
from coc.wire.dht.lookup import Goal, Search
from coc.wire.dht.messages import FindNode, FindValue, Nodes, Ping, Values
from coc.wire.dht.state import Errand, Purpose
from tests.wire.dht.playbook import (
    OWN,
    Anyone,
    Said,
    Stage,
    Stranger,
    bodies,
    contact_at,
    nearest_first,
    of_kind,
    said,
    signer,
    strangers,
    timers,
)

TARGET = Hash32(b"t" * 32)
FAR = list(islice(strangers(bucket=255), 30))
CHECK = Errand(Purpose.CHECK, 1, Ping())


def named(*peers: Anyone, target: bytes = TARGET) -> Nodes:
    return Nodes(nearest_first(target, [one.contact for one in peers]))


def only(stage: Stage) -> Said:
    """The one question that a lookup asks the one peer it knows."""
    stage.up(FAR[0])
    [question] = said(stage.look_up(TARGET))
    return question


def test_a_lookup_without_anybody_to_ask_ends_at_once(stage: Stage) -> None:  # DHT-9
    assert stage.look_up(TARGET)[-1] == fx.LookedUp(7, ())


def test_a_lookup_asks_connected_peers_and_returns_who_answered(stage: Stage) -> None:  # DHT-9
    question = only(stage)
    assert (question.peer, question.body) == (FAR[0].id, FindNode(TARGET))

    assert stage.reply(question, Nodes(())) == [fx.LookedUp(7, (FAR[0].contact,))]


def test_a_candidate_without_connection_is_dialled_and_asked_once_it_is_up(stage: Stage) -> None:  # DHT-13
    effects = stage.reply(only(stage), named(FAR[1]))
    assert of_kind(effects, fx.Dial) == [fx.Dial(FAR[1].contact.host_text, 30_303, FAR[1].id)]
    [question] = said(stage.up(FAR[1]))

    assert (question.peer, question.body) == (FAR[1].id, FindNode(TARGET))
    [done] = stage.reply(question, Nodes(()))
    assert done == fx.LookedUp(7, nearest_first(TARGET, [FAR[0].contact, FAR[1].contact]))


def test_a_lookup_goes_on_without_whoever_cannot_be_dialled(stage: Stage) -> None:  # DHT-13
    [dial] = of_kind(stage.reply(only(stage), named(FAR[1])), fx.Dial)
    done = stage.feed(ev.DialFailed(dial.host, dial.port, dial.peer))

    assert done == [fx.LookedUp(7, (FAR[0].contact,))]


def test_a_dial_that_takes_too_long_has_failed(stage: Stage) -> None:  # DHT-13
    effects = stage.reply(only(stage), named(FAR[1]))
    [timer] = timers(effects, ev.TimerKind.DIAL)

    assert timer.at_ms == stage.now_ms + DIAL_MS_MAX
    assert stage.fire(timer) == [fx.LookedUp(7, (FAR[0].contact,))]
    assert stage.fire(timer) == []


def test_the_failure_of_an_earlier_dial_elsewhere_does_not_end_this_one(stage: Stage) -> None:  # DHT-13
    stage.reply(only(stage), named(FAR[1]))

    assert stage.feed(ev.DialFailed("9.8.7.6", 30_303, FAR[1].id)) == []
    assert bodies(stage.up(FAR[1])) == [FindNode(TARGET)]


def test_a_request_that_takes_too_long_has_failed_and_a_late_answer_is_no_fault(stage: Stage) -> None:
    # DHT-13, DHT-21
    stage.up(FAR[0])
    effects = stage.look_up(TARGET)
    [question] = said(effects)
    [timer] = timers(effects, ev.TimerKind.REQUEST)

    assert timer.at_ms == stage.now_ms + REQUEST_MS_MAX
    assert stage.fire(timer) == [fx.LookedUp(7, ())]
    assert stage.reply(question, named(FAR[1])) == []


def test_an_answer_of_another_peer_is_not_taken_for_the_one_awaited(stage: Stage) -> None:  # DHT-9
    question = only(stage)
    stage.up(FAR[1])

    assert stage.hear(FAR[1], question.request, Nodes(())) == []
    assert stage.reply(question, Nodes(())) != []


def test_a_peer_whose_connection_breaks_is_dialled_and_asked_once_more(stage: Stage) -> None:  # DHT-13
    only(stage)
    [dial] = of_kind(stage.feed(ev.PeerGone(FAR[0].id)), fx.Dial)
    assert dial.peer == FAR[0].id
    assert bodies(stage.up(FAR[0])) == [FindNode(TARGET)]

    assert stage.feed(ev.PeerGone(FAR[0].id)) == [fx.LookedUp(7, ())]


def test_an_address_that_failed_is_left_alone_for_a_minute(stage: Stage) -> None:  # DHT-13
    [dial] = of_kind(stage.reply(only(stage), named(FAR[1])), fx.Dial)
    stage.feed(ev.DialFailed(dial.host, dial.port, dial.peer))
    [again] = said(stage.look_up(TARGET))
    assert of_kind(stage.reply(again, named(FAR[1])), fx.Dial) == []
    stage.now_ms += UNREACHABLE_MS_MAX
    [later] = said(stage.look_up(TARGET))

    assert of_kind(stage.reply(later, named(FAR[1])), fx.Dial) == [dial]


def test_an_address_where_a_peer_came_up_is_no_longer_left_alone(stage: Stage) -> None:  # DHT-13
    [dial] = of_kind(stage.reply(only(stage), named(FAR[1])), fx.Dial)
    stage.feed(ev.DialFailed(dial.host, dial.port, dial.peer))
    stage.up(FAR[1])

    assert not is_unreachable(stage.core, Millis(stage.now_ms), FAR[1].contact)


def test_a_bounded_number_of_dead_addresses_is_remembered(stage: Stage) -> None:  # DHT-13
    now_ms = Millis(stage.now_ms)
    for number in range(UNREACHABLE_ADDRESSES_MAX + 1):
        assert ask(stage.core, now_ms, contact_at(number + 1), CHECK) is not None
        give_up_dial(stage.core, now_ms, next(iter(stage.core.calls.dials)))

    assert len(stage.core.calls.unreachable) == UNREACHABLE_ADDRESSES_MAX
    assert not is_unreachable(stage.core, now_ms, contact_at(1))
    assert is_unreachable(stage.core, now_ms, contact_at(2))


def test_dials_under_way_are_bounded_and_a_second_errand_needs_no_second_dial(stage: Stage) -> None:  # DHT-13
    now_ms = Millis(stage.now_ms)
    for number in range(DIALS_MAX):
        assert ask(stage.core, now_ms, contact_at(number + 1), CHECK) is not None

    assert ask(stage.core, now_ms, contact_at(DIALS_MAX + 1), CHECK) is None
    assert ask(stage.core, now_ms, contact_at(1), CHECK) == []


def test_the_second_path_begins_elsewhere_in_the_table(stage: Stage) -> None:  # DHT-11
    near = Hash32(FAR[0].id)
    stage.up(*FAR[:20], *islice(strangers(bucket=254), 5))
    asked = [question.peer for question in said(stage.look_up(near))]
    elsewhere = [peer for peer in asked if peer not in {one.id for one in FAR}]

    assert len(asked) == 2 * PATH_ASKS_MAX
    assert len(elsewhere) == PATH_ASKS_MAX


def test_a_small_table_is_shared_out_between_the_paths(stage: Stage) -> None:  # DHT-11
    stage.up(*FAR[:10])

    assert len(said(stage.look_up(TARGET))) == 2 * PATH_ASKS_MAX


def test_a_lookup_ends_when_its_time_is_over_with_what_it_has(stage: Stage) -> None:  # DHT-12
    stage.up(FAR[0])
    effects = stage.look_up(TARGET)
    stage.reply_all(effects, named(FAR[1], FAR[2]))
    [timer] = timers(effects, ev.TimerKind.LOOKUP)
    stage.up(FAR[1])

    assert timer.at_ms - LOOKUP_MS_MAX <= stage.now_ms
    assert stage.fire(timer) == [fx.LookedUp(7, (FAR[0].contact,))]
    assert stage.fire(timer) == []


def test_answers_after_the_end_of_a_lookup_are_not_heard(stage: Stage) -> None:  # DHT-12
    stage.up(FAR[0], FAR[1])
    effects = stage.look_up(TARGET)
    for timer in timers(effects, ev.TimerKind.LOOKUP):
        stage.fire(timer)

    assert stage.reply_all(effects, named(FAR[2])) == []


def busy(stage: Stage, count: int) -> list[fx.Effect]:
    """Lookups that wait for an answer of the one peer there is."""
    return [effect for ticket in range(count) for effect in stage.look_up(TARGET, ticket)]


def test_lookups_beyond_the_bound_wait_for_their_turn(stage: Stage) -> None:  # DHT-12
    stage.up(FAR[0])
    effects = busy(stage, LOOKUPS_MAX + 1)
    first, *rest = said(effects)
    assert len(rest) == LOOKUPS_MAX - 1
    ended, *begun = stage.reply(first, Nodes(()))

    assert ended == fx.LookedUp(0, (FAR[0].contact,))
    assert bodies(begun) == [FindNode(TARGET)]


def test_when_too_many_lookups_wait_the_next_is_refused(stage: Stage) -> None:  # DHT-12
    stage.up(FAR[0])
    effects = busy(stage, LOOKUPS_MAX + LOOKUPS_WAITING_MAX)
    assert of_kind(effects, fx.Refused) == []

    assert stage.look_up(TARGET, 999) == [fx.Refused(999)]


def test_many_waiting_lookups_that_find_nobody_end_one_after_the_other(stage: Stage) -> None:  # DHT-12
    stage.up(FAR[0])
    busy(stage, LOOKUPS_MAX + LOOKUPS_WAITING_MAX)
    [dial] = of_kind(stage.feed(ev.PeerGone(FAR[0].id)), fx.Dial)
    ended = stage.feed(ev.DialFailed(dial.host, dial.port, dial.peer))

    assert len(of_kind(ended, fx.LookedUp)) == LOOKUPS_MAX + LOOKUPS_WAITING_MAX


def test_our_own_chores_leave_half_of_the_room_to_the_node(stage: Stage) -> None:  # DHT-12
    stage.up(*FAR[:8])
    for number in range(CHORES_WAITING_MAX):
        assert chores.add(stage.core, Search(Goal.REFRESH, Hash32(number.to_bytes(32, "big"))))
    assert not chores.add(stage.core, Search(Goal.REFRESH, TARGET))
    stage.look_up(TARGET)
    goals = [lookup.search.goal for lookup in stage.core.searches.active.values()]

    assert goals.count(Goal.REFRESH) == LOOKUPS_MAX // 2
    assert goals.count(Goal.LOOK_UP) == 1


def find(stage: Stage, key: Hash32) -> list[Said]:
    return said(stage.feed(ev.FindValue(7, key)))


def test_a_value_is_found_at_its_holders(stage: Stage) -> None:  # DHT-25
    record = signer(1).endpoint()
    stage.up(FAR[0])
    [question] = find(stage, record.claim.key)

    assert question.body == FindValue(record.claim.key)
    assert stage.reply(question, Values((record,), ())) == [fx.Found(7, (record,))]


def test_the_newest_of_what_holders_say_is_found(stage: Stage) -> None:  # DHT-18, DHT-25
    old, new = signer(1).endpoint(1), signer(1).endpoint(2)
    stage.up(FAR[0], FAR[1])
    first, second = find(stage, old.claim.key)
    stage.reply(first, Values((new,), ()))

    assert stage.reply(second, Values((old,), ())) == [fx.Found(7, (new,))]


def test_what_we_hold_and_announce_ourselves_is_found_without_asking(stage: Stage) -> None:  # DHT-25
    found = stage.feed(ev.FindValue(7, endpoint_key(OWN.public_key)))

    assert found[-1] == fx.Found(7, (OWN.endpoint(),))


def test_an_expired_record_is_not_found_and_nobody_is_blamed(stage: Stage) -> None:  # DHT-17, DHT-21
    record = signer(1).endpoint(expiry=stage.now_ms // 1_000)
    stage.up(FAR[0])
    [question] = find(stage, record.claim.key)

    assert stage.reply(question, Values((record,), ())) == [fx.Found(7, ())]


def test_a_lookup_never_dials_where_nobody_may_be_dialled(stage: Stage) -> None:  # DHT-6
    inside = [
        Stranger.of(50 + number, at) for number, at in enumerate(["127.0.0.1", "10.0.0.1", "169.254.0.1"])
    ]
    effects = stage.reply(only(stage), named(*inside))

    assert of_kind(effects, fx.Dial) == []


def test_a_known_address_goes_before_one_that_others_say(stage: Stage) -> None:  # DHT-9
    stage.up(FAR[0], FAR[1])
    stage.feed(ev.PeerGone(FAR[1].id))
    effects = stage.look_up(TARGET)
    moved = Contact(FAR[1].id, Stranger.of(77).contact.host, 1)
    dials = of_kind([*effects, *stage.reply_all(effects, Nodes((moved,)))], fx.Dial)

    assert [dial.host for dial in dials] == [FAR[1].contact.host_text]
