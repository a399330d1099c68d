"""Peers come and go: who enters the table, who is asked whether it lives, what is answered (DHT-4 to 8)."""

from __future__ import annotations

from itertools import islice

import pytest

from coc.primitives.limits_dht import (
    ANSWER_RECORDS_MAX,
    BUCKET_ENTRIES_MAX,
    CONNECTED_PEERS_MAX,
    ENTRY_FRESH_MS_MAX,
    ENTRY_SILENT_MS_MAX,
    REQUEST_MS_MAX,
)
from coc.primitives.types import Hash32
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.endpoints import endpoint_key, provider_claim, provider_key, read_endpoint
from coc.wire.dht.hosts import HostPolicy
from coc.wire.dht.machine import Dht
from coc.wire.dht.messages import (
    FindNode,
    FindValue,
    Nodes,
    Ping,
    Pong,
    Store,
    Stored,
    Values,
    Verdict,
)
from coc.wire.dht.records import RecordInvalid
from tests.wire.dht.network import setup_of
from tests.wire.dht.playbook import (
    OWN,
    PONG,
    Stage,
    Stranger,
    bodies,
    nearest_first,
    of_kind,
    said,
    signer,
    strangers,
    timers,
)

TARGET = Hash32(b"t" * 32)
FAR = list(islice(strangers(bucket=255), 30))


def full(stage: Stage) -> None:
    """Fill the farthest bucket; `FAR[0]` was heard first."""
    stage.up(*FAR[:BUCKET_ENTRIES_MAX])
    assert len(stage.ids()) == BUCKET_ENTRIES_MAX


def test_a_peer_enters_the_table_with_the_address_of_its_connection(stage: Stage) -> None:  # DHT-4
    effects = stage.up(FAR[0])

    assert stage.dht.contacts == (FAR[0].contact,)
    assert effects == [fx.PeersDiscovered((FAR[0].contact,))]


def test_a_peer_that_cannot_be_dialled_is_served_and_not_entered(stage: Stage) -> None:  # DHT-4
    stage.feed(ev.PeerUp(FAR[0].id, FAR[0].public_key, "9.9.9.9", 0))

    assert stage.ids() == []
    assert bodies(stage.hear(FAR[0], 5, Ping())) == [Pong()]


def test_a_peer_whose_id_is_not_its_keys_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="keccak-256"):
        ev.PeerUp(FAR[0].id, FAR[1].public_key, "9.9.9.9", 1)


def test_nodes_named_by_others_are_never_entered(stage: Stage) -> None:  # DHT-4
    stage.up(FAR[0])
    asked = said(stage.look_up(TARGET))
    stage.reply(asked[0], Nodes(nearest_first(TARGET, [one.contact for one in FAR[1:20]])))

    assert stage.ids() == [FAR[0].id]


def test_bytes_of_whoever_is_not_connected_are_not_read(stage: Stage) -> None:  # DHT-4
    assert stage.hear(FAR[0], 1, Ping()) == []
    stage.up(FAR[0])
    stage.feed(ev.PeerGone(FAR[0].id))
    assert stage.hear(FAR[0], 1, Ping()) == []


def test_we_are_no_peer_of_ourselves(stage: Stage) -> None:
    assert stage.feed(OWN.up()) == []
    assert stage.ids() == []


def test_a_bounded_number_of_peers_is_served(stage: Stage) -> None:
    for number in range(CONNECTED_PEERS_MAX):
        stage.up(Stranger.of(number))
    late = Stranger.of(CONNECTED_PEERS_MAX)
    stage.up(late)

    assert stage.hear(late, 1, Ping()) == []
    stage.feed(ev.PeerGone(Stranger.of(0).id))
    stage.up(late)
    assert bodies(stage.hear(late, 1, Ping())) == [Pong()]


def test_loopback_peers_enter_without_quota_on_a_development_chain() -> None:  # DHT-6
    peers = [Stranger.of(number, "127.0.0.1", 1_000 + number) for number in range(20)]
    usual, development = Stage(), Stage(HostPolicy(takes_loopback=True))
    for stage in (usual, development):
        stage.up(*peers)

    assert usual.ids() == []
    assert len(development.ids()) == len(peers)


def test_a_newcomer_to_a_full_bucket_has_the_oldest_entry_asked(stage: Stage) -> None:  # DHT-7
    full(stage)
    effects = stage.feed(FAR[25].up(), after_ms=ENTRY_FRESH_MS_MAX)

    assert [(one.peer, one.body) for one in said(effects)] == [(FAR[0].id, Ping())]
    assert FAR[25].id not in stage.ids()


def test_whatever_a_peer_says_counts_as_heard(stage: Stage) -> None:  # DHT-3, DHT-8
    full(stage)
    stage.now_ms += ENTRY_FRESH_MS_MAX
    stage.hear(FAR[0], 1, Ping())
    effects = stage.up(FAR[25])

    assert [question.peer for question in said(effects)] == [FAR[1].id]


def test_an_oldest_entry_that_answers_stays(stage: Stage) -> None:  # DHT-7
    full(stage)
    effects = stage.feed(FAR[25].up(), after_ms=ENTRY_FRESH_MS_MAX)
    stage.reply_all(effects, PONG)
    stage.fire_all(effects, ev.TimerKind.REQUEST)

    assert FAR[0].id in stage.ids()
    assert FAR[25].id not in stage.ids()


def test_an_oldest_entry_that_is_silent_gives_its_place_to_the_newcomer(stage: Stage) -> None:  # DHT-7
    full(stage)
    effects = stage.feed(FAR[25].up(), after_ms=ENTRY_FRESH_MS_MAX)
    asked_ms = stage.now_ms
    later = stage.fire_all(effects, ev.TimerKind.REQUEST)

    assert stage.now_ms == asked_ms + REQUEST_MS_MAX
    assert FAR[0].id not in stage.ids()
    assert of_kind(later, fx.PeersDiscovered) == [fx.PeersDiscovered((FAR[25].contact,))]


def test_an_oldest_entry_without_connection_is_dialled_before_it_is_asked(stage: Stage) -> None:  # DHT-7
    full(stage)
    stage.feed(ev.PeerGone(FAR[0].id))
    effects = stage.feed(FAR[25].up(), after_ms=ENTRY_FRESH_MS_MAX)
    [dial] = of_kind(effects, fx.Dial)

    assert dial.peer == FAR[0].id
    assert bodies(stage.up(FAR[0])) == [Ping()]


def test_an_oldest_entry_that_cannot_be_dialled_leaves(stage: Stage) -> None:  # DHT-7
    full(stage)
    stage.feed(ev.PeerGone(FAR[0].id))
    [dial] = of_kind(stage.feed(FAR[25].up(), after_ms=ENTRY_FRESH_MS_MAX), fx.Dial)
    stage.feed(ev.DialFailed(dial.host, dial.port, dial.peer))

    assert FAR[0].id not in stage.ids()
    assert FAR[25].id in stage.ids()


def test_a_flood_of_newcomers_costs_one_ping_and_none_while_entries_are_fresh(stage: Stage) -> None:  # DHT-7
    full(stage)
    assert said(stage.up(*FAR[20:25])) == []
    stage.now_ms += ENTRY_FRESH_MS_MAX

    assert len(said(stage.up(*FAR[20:30]))) == 1


def test_an_oldest_entry_whose_connection_breaks_while_it_is_asked_stays(stage: Stage) -> None:  # DHT-8
    full(stage)
    stage.feed(FAR[25].up(), after_ms=ENTRY_FRESH_MS_MAX)
    for _ in range(2):
        stage.feed(ev.PeerGone(FAR[0].id))
        assert FAR[0].id in stage.ids()
        stage.up(FAR[0])

    assert said(stage.feed(FAR[26].up(), after_ms=ENTRY_FRESH_MS_MAX))[0].body == Ping()


def test_upkeep_asks_entries_that_were_silent_for_long(stage: Stage) -> None:  # DHT-7
    started = stage.feed(ev.Started())
    stage.up(FAR[0])
    [upkeep] = timers(started, ev.TimerKind.UPKEEP)
    assert Ping() not in bodies(stage.fire(upkeep))
    stage.now_ms += ENTRY_SILENT_MS_MAX

    assert Ping() in bodies(stage.fire(upkeep))


def test_a_lost_connection_is_no_failure_of_the_node(stage: Stage) -> None:  # DHT-8
    stage.up(FAR[0])
    for _ in range(5):
        stage.look_up(TARGET)
        stage.feed(ev.PeerGone(FAR[0].id))
        stage.up(FAR[0])

    assert stage.ids() == [FAR[0].id]


def test_two_requests_without_answer_remove_a_node(stage: Stage) -> None:  # DHT-8
    stage.up(FAR[0])
    for left in ([FAR[0].id], []):
        stage.fire_all(stage.look_up(TARGET), ev.TimerKind.REQUEST)
        assert stage.ids() == left


def test_a_node_that_did_not_answer_is_asked_again_and_not_named(stage: Stage) -> None:  # DHT-5, DHT-8
    stage.up(FAR[0], FAR[1])
    timer = timers(stage.look_up(TARGET), ev.TimerKind.REQUEST)[0]
    stage.fire(timer)
    [failing] = [one for one in FAR[:2] if stage.core.table.buckets[255].entries[one.id].failures]
    [asker] = [one for one in FAR[:2] if one is not failing]

    assert bodies(stage.hear(asker, 1, FindNode(TARGET))) == [Nodes(())]
    assert failing.id in {question.peer for question in said(stage.look_up(TARGET, 8))}


def test_a_node_is_told_the_nearest_nodes_without_itself(stage: Stage) -> None:  # DHT-5
    stage.up(*FAR)
    [answer] = said(stage.hear(FAR[0], 9, FindNode(TARGET)))
    known = [contact for contact in stage.dht.contacts if contact.id != FAR[0].id]

    assert answer.request == 9
    assert answer.body == Nodes(nearest_first(TARGET, known)[:BUCKET_ENTRIES_MAX])


def test_a_record_that_its_publisher_stores_is_served(stage: Stage) -> None:  # DHT-15, DHT-25
    publisher, asker = signer(1), signer(2)
    stage.up(publisher, asker)
    record = publisher.endpoint()

    assert bodies(stage.hear(publisher, 3, Store(record))) == [Stored(Verdict.HELD)]
    [answer] = bodies(stage.hear(asker, 4, FindValue(record.claim.key)))
    assert answer == Values((record,), (publisher.contact,))
    assert stage.dht.records == 1


def test_a_record_that_is_not_current_is_refused_without_blame(stage: Stage) -> None:  # DHT-17, DHT-21
    stage.up(signer(1))
    past = signer(1).endpoint(expiry=stage.now_ms // 1_000)

    assert bodies(stage.hear(signer(1), 3, Store(past))) == [Stored(Verdict.NOT_CURRENT)]


def test_our_own_publication_is_served_too(stage: Stage) -> None:  # DHT-25
    stage.up(FAR[0])
    [answer] = bodies(stage.hear(FAR[0], 4, FindValue(endpoint_key(OWN.public_key))))

    assert isinstance(answer, Values)
    assert answer.records == (OWN.endpoint(),)


def test_of_many_records_an_answer_draws_some_and_not_always_the_same(stage: Stage) -> None:  # DHT-20
    record = OWN.endpoint()
    where = read_endpoint(record.claim)
    for number in range(ANSWER_RECORDS_MAX + 8):
        one = signer(number)
        stage.up(one)
        expiry = record.claim.expiry_seconds
        claim = provider_claim(one.public_key, b"content", where, 1, expiry)
        stage.hear(one, 1, Store(one.sign(claim)))
    answers = [stage.hear(signer(0), 2, FindValue(provider_key(b"content"))) for _ in range(2)]
    first, second = (body.records for found in answers for body in bodies(found) if isinstance(body, Values))

    assert len(first) == len(second) == ANSWER_RECORDS_MAX
    assert set(first) != set(second)


def test_the_machine_is_built_with_its_own_endpoint_record_only() -> None:  # DHT-23
    stranger = signer(1)
    forged = stranger.sign(OWN.endpoint().claim)
    for record in (stranger.endpoint(), forged):
        with pytest.raises(RecordInvalid):
            Dht(setup_of(OWN), record)
