"""What happens by itself: joining, refreshing, announcing (DHT-14, DHT-23)."""

from __future__ import annotations

from itertools import islice, pairwise

from coc.primitives.frozen import replace
from coc.primitives.limits_dht import (
    ANNOUNCE_MS,
    ANNOUNCE_RETRY_MS,
    ANNOUNCES_PER_UPKEEP_MAX,
    BOOTSTRAPS_MAX,
    BUCKET_ENTRIES_MAX,
    BUCKET_REFRESH_MS,
    JOIN_RETRY_MS_MAX,
    JOIN_RETRY_MS_MIN,
    LOOKUPS_MAX,
    PUBLICATIONS_MAX,
    RENEW_SECONDS,
    UPKEEP_MS,
)
from coc.primitives.types import Hash32, Millis, Seconds
from coc.wire.dht import chores
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.distance import bucket_of
from coc.wire.dht.endpoints import Endpoint, Role, endpoint_key, provider_claim
from coc.wire.dht.hosts import parse_host
from coc.wire.dht.messages import FindNode, Nodes, Store, Stored, Verdict
from coc.wire.dht.records import Record
from tests.wire.dht.network import START_MS
from tests.wire.dht.playbook import (
    HELD,
    OWN,
    Stage,
    bodies,
    contact_at,
    of_kind,
    said,
    signer,
    strangers,
    timers,
)

FAR = list(islice(strangers(bucket=255), 10))
KEY = endpoint_key(OWN.public_key)
NOBODY = Nodes(())


def targets(effects: list[fx.Effect]) -> list[Hash32]:
    return [body.target for body in bodies(effects) if isinstance(body, FindNode)]


def content(number: int, sequence: int = 1, lives_seconds: int = 80_000) -> Record:
    """A provider record of ours."""
    where = Endpoint(parse_host("8.8.8.8"), 30_303, Role.STORAGE)
    expiry = Seconds(START_MS // 1_000 + lives_seconds)
    return OWN.sign(provider_claim(OWN.public_key, b"content %d" % number, where, sequence, expiry))


def joined() -> Stage:
    """A node that has joined by one peer, which answers all it is asked, until nothing is under way."""
    stage = Stage()
    effects = [*stage.feed(ev.Started()), *stage.up(FAR[0])]
    assert settle(stage, effects) == [fx.Announced(KEY, 1)]
    return stage


def settle(stage: Stage, effects: list[fx.Effect]) -> list[fx.Effect]:
    """Answer until nobody is asked any more; what the machine announced on the way."""
    announced: list[fx.Effect] = []
    while effects:
        announced += of_kind(effects, fx.Announced)
        answers = [(one, HELD if isinstance(one.body, Store) else NOBODY) for one in said(effects)]
        effects = [effect for one, body in answers for effect in stage.reply(one, body)]
    return announced


def upkeep(stage: Stage, after_ms: int = UPKEEP_MS) -> list[fx.Effect]:
    return stage.feed(ev.TimerFired(ev.Timer(ev.TimerKind.UPKEEP)), after_ms)


def test_a_node_dials_its_bootstraps_when_it_starts() -> None:  # DHT-14
    stage = Stage(None, *(contact_at(number + 1) for number in range(BOOTSTRAPS_MAX + 5)))
    dials = of_kind(stage.feed(ev.Started()), fx.Dial)

    assert len(dials) == BOOTSTRAPS_MAX
    assert dials[0] == fx.Dial(contact_at(1).host_text, 30_303, None)


def test_while_nobody_is_connected_bootstraps_are_dialled_ever_less_often() -> None:  # DHT-14
    stage = Stage(None, contact_at(1))
    effects, pauses = stage.feed(ev.Started()), []
    for _ in range(9):
        [timer] = timers(effects, ev.TimerKind.JOIN)
        pauses.append(timer.at_ms - stage.now_ms)
        effects = stage.fire(timer)
        assert len(of_kind(effects, fx.Dial)) == 1

    assert pauses[:3] == [JOIN_RETRY_MS_MIN, 2 * JOIN_RETRY_MS_MIN, 4 * JOIN_RETRY_MS_MIN]
    assert pauses[-1] == max(pauses) == JOIN_RETRY_MS_MAX


def test_a_connected_node_does_not_dial_its_bootstraps() -> None:  # DHT-14
    stage = Stage(None, contact_at(1))
    [timer] = timers(stage.feed(ev.Started()), ev.TimerKind.JOIN)
    stage.up(FAR[0])
    again = stage.fire(timer)

    assert of_kind(again, fx.Dial) == []
    stage.feed(ev.PeerGone(FAR[0].id))
    assert len(of_kind(stage.fire_all(again, ev.TimerKind.JOIN), fx.Dial)) == 1


def test_the_first_peer_is_asked_for_our_neighbours(stage: Stage) -> None:  # DHT-14
    stage.feed(ev.Started())

    assert targets(stage.up(FAR[0])) == [Hash32(OWN.id)]
    assert targets(stage.up(FAR[1])) == []


def test_before_it_starts_a_node_asks_nobody_and_then_joins_by_whom_it_knows(stage: Stage) -> None:  # DHT-14
    assert said(stage.up(FAR[0])) == []
    assert targets(stage.feed(ev.Started())) == [Hash32(OWN.id)]


def test_a_node_that_joined_looks_into_each_bucket_beyond_its_nearest_neighbour() -> None:  # DHT-14
    stage = Stage()
    stage.feed(ev.Started())
    neighbour = next(strangers(bucket=250))
    effects, looked_for = stage.up(neighbour), []
    while effects:
        looked_for += targets(effects)
        answers = [(one, HELD if isinstance(one.body, Store) else NOBODY) for one in said(effects)]
        effects = [effect for one, body in answers for effect in stage.reply(one, body)]
    buckets = [bucket_of(OWN.id, target) for target in looked_for if target != KEY]

    assert buckets[0] == -1
    assert sorted(buckets[1:]) == list(range(251, 256))


def test_a_join_that_reached_nobody_is_tried_again_with_the_next_peer(stage: Stage) -> None:  # DHT-14
    stage.feed(ev.Started())
    stage.fire_all(stage.up(FAR[0]), ev.TimerKind.REQUEST)

    assert Hash32(OWN.id) in targets(stage.up(FAR[1]))


def test_a_node_that_lost_everybody_joins_anew_with_the_next_peer() -> None:  # DHT-14
    stage = joined()
    stage.feed(ev.PeerGone(FAR[0].id))
    stage.feed(ev.TimerFired(ev.Timer(ev.TimerKind.JOIN)))

    assert Hash32(OWN.id) in targets(stage.up(FAR[1]))


def looks_for_itself(stage: Stage, until_ms: int) -> list[int]:
    """Seconds from now at which a node looks for its own id; its peers answer that they know nobody."""
    began_ms, seen = stage.now_ms, list[int]()
    while stage.now_ms - began_ms < until_ms:
        effects = stage.feed(ev.TimerFired(ev.Timer(ev.TimerKind.JOIN)), JOIN_RETRY_MS_MIN)
        if Hash32(OWN.id) in targets(effects):
            seen.append((stage.now_ms - began_ms) // 1_000)
        settle(stage, effects)
    return seen


def test_while_few_are_known_a_node_looks_for_itself_again_ever_less_often() -> None:  # DHT-14
    seen = looks_for_itself(joined(), 20 * 60_000)

    assert seen[:3] == [5, 15, 35]
    assert max(later - sooner for sooner, later in pairwise(seen)) == JOIN_RETRY_MS_MAX // 1_000


def test_a_node_that_knows_many_does_not_look_for_itself_again() -> None:  # DHT-14
    stage = joined()
    stage.up(*islice(strangers(bucket=255), BUCKET_ENTRIES_MAX))
    settle(stage, stage.up(next(strangers(bucket=254))))

    assert len(stage.ids()) >= BUCKET_ENTRIES_MAX
    assert looks_for_itself(stage, 60_000) == []


def test_buckets_are_refreshed_after_an_hour_without_lookups() -> None:  # DHT-14
    stage = joined()
    stage.up(next(strangers(bucket=253)))
    early = targets(upkeep(stage, BUCKET_REFRESH_MS // 2))
    assert {bucket_of(OWN.id, target) for target in early} == {254}
    in_bucket_255 = Hash32(FAR[5].id)
    stage.look_up(in_bucket_255)
    upkeep(stage, BUCKET_REFRESH_MS // 2)
    running = [lookup.search.target for lookup in stage.core.searches.active.values()]
    due = [bucket_of(OWN.id, target) for target in running if target not in {in_bucket_255, KEY}]

    assert -1 in due
    assert 255 not in due


def test_chores_that_do_not_fit_are_due_again(stage: Stage) -> None:  # DHT-14
    stage.core.table.admit(contact_at(1), stage.now_ms)
    chores.refresh(stage.core, Millis(stage.now_ms))
    left_alone = sum(bucket.refreshed_ms < 0 for bucket in stage.core.table.buckets[1:])

    assert len(stage.core.searches.chores) + left_alone == 256


def test_our_endpoint_is_stored_at_the_nodes_nearest_to_its_key() -> None:  # DHT-23
    stage = joined()

    assert stage.core.publications[KEY].due_ms == stage.now_ms + ANNOUNCE_MS


def test_a_publication_is_announced_at_once_and_again_each_hour() -> None:  # DHT-23
    stage = joined()
    record = content(1)
    effects = stage.feed(ev.Publish(record))
    assert targets(effects) == [record.claim.key]
    assert settle(stage, effects) == [fx.Announced(record.claim.key, 1)]
    assert record.claim.key not in targets(upkeep(stage, ANNOUNCE_MS - 1))

    assert record.claim.key in targets(upkeep(stage, 1))


def test_a_publication_that_nobody_took_is_tried_again_after_a_minute() -> None:  # DHT-23
    stage = joined()
    record = content(1)
    [question] = said(stage.feed(ev.Publish(record)))
    [store] = said(stage.reply(question, NOBODY))
    assert stage.reply(store, Stored(Verdict.NO_ROOM)) == [fx.Announced(record.claim.key, 0)]
    assert targets(upkeep(stage, ANNOUNCE_RETRY_MS - 1)) == []

    assert targets(upkeep(stage, 1)) == [record.claim.key]


def test_a_holder_that_is_silent_or_gone_does_not_count() -> None:  # DHT-23
    stage = joined()
    record = content(1)
    [question] = said(stage.feed(ev.Publish(record)))
    stores = stage.reply(question, NOBODY)

    assert of_kind(stage.fire_all(stores, ev.TimerKind.REQUEST), fx.Announced) == [
        fx.Announced(record.claim.key, 0)
    ]


def test_an_announcement_that_found_nobody_says_so() -> None:  # DHT-23
    stage = joined()
    record = content(1)
    stage.feed(ev.Publish(record))
    [dial] = of_kind(stage.feed(ev.PeerGone(FAR[0].id)), fx.Dial)

    assert stage.feed(ev.DialFailed(dial.host, dial.port, dial.peer)) == [fx.Announced(record.claim.key, 0)]


def test_answers_to_an_earlier_announcement_do_not_count_for_a_newer_record() -> None:  # DHT-23
    stage = joined()
    [question] = said(stage.feed(ev.Publish(content(1))))
    [store] = said(stage.reply(question, NOBODY))
    effects = stage.feed(ev.Publish(content(1, sequence=2)))
    [newer] = said(stage.reply_all(effects, NOBODY))

    assert stage.reply(store, HELD) == []
    assert newer.body == Store(content(1, sequence=2))
    assert stage.reply(newer, HELD) == [fx.Announced(content(1).claim.key, 1)]


def test_a_publication_that_expires_soon_is_to_be_signed_again() -> None:  # DHT-23
    stage = joined()
    short, long = content(1, lives_seconds=RENEW_SECONDS - 1), content(2, lives_seconds=RENEW_SECONDS + 60)

    assert of_kind(stage.feed(ev.Publish(short)), fx.Renew) == [fx.Renew(short)]
    assert of_kind(stage.feed(ev.Publish(long)), fx.Renew) == []
    assert fx.Renew(long) in upkeep(stage, ANNOUNCE_MS)


def test_a_publication_that_has_expired_is_dropped_and_said_so() -> None:  # DHT-17, DHT-23
    stage = joined()
    record = content(1, lives_seconds=60)
    settle(stage, stage.feed(ev.Publish(record)))
    effects = upkeep(stage, ANNOUNCE_MS)

    assert fx.NotPublished(record.claim.key, "it has expired") in effects
    assert record.claim.key not in stage.core.publications


def test_a_withdrawn_publication_is_announced_no_more() -> None:  # DHT-23
    stage = joined()
    record = content(1)
    [question] = said(stage.feed(ev.Publish(record)))
    stage.feed(ev.Withdraw(record.claim.key))

    assert stage.reply(question, NOBODY) == []
    assert record.claim.key not in targets(upkeep(stage, ANNOUNCE_MS))


def test_what_cannot_be_published_is_refused_with_the_reason() -> None:  # DHT-23
    stage = joined()
    newest = content(1, sequence=5)
    stage.feed(ev.Publish(newest))
    refused = [
        signer(1).endpoint(),
        content(2, lives_seconds=0),
        content(2, lives_seconds=3 * 86_400),
        content(1, sequence=4),
        Record(replace(content(3).claim, sequence=9), content(3).signature),
    ]
    answers = [stage.feed(ev.Publish(record)) for record in refused]

    assert [answer[0].reason for [*answer] in answers if isinstance(answer[0], fx.NotPublished)] == [
        "its publisher is another node",
        "it has expired, or expires later than a record may",
        "it has expired, or expires later than a record may",
        "a newer one is being announced",
        "a record that its publisher did not sign [COC-DHT-RECORD]",
    ]


def test_a_bounded_number_of_records_is_announced() -> None:  # DHT-23
    stage = Stage()
    for number in range(PUBLICATIONS_MAX - 1):
        assert stage.feed(ev.Publish(content(number))) == []
    over = content(PUBLICATIONS_MAX)

    [refusal] = stage.feed(ev.Publish(over))
    assert isinstance(refusal, fx.NotPublished)
    assert stage.feed(ev.Publish(content(0, sequence=2))) == []


def test_one_round_of_upkeep_begins_a_bounded_number_of_announcements() -> None:  # DHT-23
    stage = Stage()
    for number in range(3 * ANNOUNCES_PER_UPKEEP_MAX):
        stage.feed(ev.Publish(content(number)))
    chores.announce(stage.core, Millis(stage.now_ms))

    assert len(stage.core.searches.chores) == ANNOUNCES_PER_UPKEEP_MAX <= LOOKUPS_MAX
    chores.announce(stage.core, Millis(stage.now_ms))
    assert len(stage.core.searches.chores) == 2 * ANNOUNCES_PER_UPKEEP_MAX


def test_upkeep_forgets_records_that_have_expired() -> None:  # DHT-17
    stage = joined()
    publisher = signer(1)
    stage.up(publisher)
    stage.hear(publisher, 1, Store(publisher.endpoint(expiry=START_MS // 1_000 + 60)))
    assert stage.dht.records == 1
    upkeep(stage, 60_000)

    assert stage.dht.records == 0


def test_upkeep_goes_on_for_ever(stage: Stage) -> None:
    effects = stage.feed(ev.Started())
    for _ in range(3):
        [timer] = timers(effects, ev.TimerKind.UPKEEP)
        assert timer.at_ms == stage.now_ms + UPKEEP_MS
        effects = stage.fire(timer)
