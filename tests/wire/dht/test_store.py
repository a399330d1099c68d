"""The store by itself: what it takes, what makes room, what it forgets (DHT-17 to DHT-19)."""

from __future__ import annotations

from coc.primitives.keccak import keccak256
from coc.primitives.limits_dht import (
    RECORDS_MAX,
    RECORDS_PER_HOST_MAX,
    RECORDS_PER_KEY_MAX,
    RECORDS_PER_PUBLISHER_MAX,
)
from coc.primitives.types import Hash32, Seconds, Signature
from coc.wire.dht.distance import distance
from coc.wire.dht.hosts import HostPolicy, parse_host
from coc.wire.dht.messages import Verdict
from coc.wire.dht.records import Claim, Record, RecordKind
from coc.wire.dht.store import RecordStore
from tests.wire.dht.network import START_MS
from tests.wire.dht.playbook import OWN, host

NOW_SECONDS = START_MS // 1_000
KEY = Hash32(b"k" * 32)


def record(
    key: bytes = KEY, publisher: int = 1, sequence: int = 1, lives_seconds: int = 600, value: bytes = b""
) -> Record:
    """A record whose signature nobody looks at: the store is handed verified ones."""
    name = publisher.to_bytes(64, "big")
    expiry = Seconds(NOW_SECONDS + lives_seconds)
    claim = Claim(RecordKind.PROVIDER, Hash32(key), name, sequence, expiry, value)
    return Record(claim, Signature(bytes(65)))


def key(number: int) -> Hash32:
    return keccak256(b"content" + number.to_bytes(8, "big"))


class Shelf:
    """A store, and hosts by number."""

    def __init__(self, policy: HostPolicy | None = None) -> None:
        self.store = RecordStore(OWN.id, policy or HostPolicy())

    def hold(self, one: Record, at: int | str = 1) -> Verdict:
        return self.store.hold(one, parse_host(host(at) if isinstance(at, int) else at), START_MS)

    def under(self, name: Hash32 = KEY) -> list[Record]:
        return self.store.under(name, START_MS)


def test_a_record_is_held_once_however_often_it_comes() -> None:  # DHT-18
    shelf = Shelf()

    assert [shelf.hold(record()) for _ in range(3)] == [Verdict.HELD] * 3
    assert shelf.under() == [record()]
    assert len(shelf.store) == 1


def test_a_newer_record_replaces_an_older_one_and_never_the_reverse() -> None:  # DHT-18
    shelf = Shelf()
    shelf.hold(record(sequence=2))

    assert shelf.hold(record(sequence=1)) is Verdict.SUPERSEDED
    assert shelf.hold(record(sequence=3)) is Verdict.HELD
    assert shelf.under() == [record(sequence=3)]


def test_another_signature_of_the_same_claim_changes_nothing() -> None:  # DHT-18
    shelf = Shelf()
    shelf.hold(record())
    twin = Record(record().claim, Signature(b"\x01" * 65))

    assert shelf.hold(twin) is Verdict.HELD
    assert shelf.under() == [record()]


def test_what_is_not_current_is_neither_taken_nor_served_and_is_forgotten() -> None:  # DHT-17
    shelf = Shelf()
    shelf.hold(record(lives_seconds=60))

    assert shelf.hold(record(publisher=2, lives_seconds=0)) is Verdict.NOT_CURRENT
    assert shelf.hold(record(publisher=2, lives_seconds=2 * 86_400)) is Verdict.NOT_CURRENT
    assert shelf.store.under(KEY, START_MS + 60_000) == []
    assert len(shelf.store) == 1
    shelf.store.expire(START_MS + 60_000)
    assert len(shelf.store) == 0


def test_one_publisher_has_a_bounded_number_of_records() -> None:  # DHT-19
    shelf = Shelf()
    for number in range(RECORDS_PER_PUBLISHER_MAX):
        assert shelf.hold(record(key(number)), number) is Verdict.HELD

    assert shelf.hold(record(key(9_999))) is Verdict.NO_ROOM
    assert shelf.hold(record(key(0), sequence=2)) is Verdict.HELD
    assert shelf.hold(record(key(9_999), publisher=2)) is Verdict.HELD


def fill_host(shelf: Shelf, at: int | str = 1) -> None:
    for number in range(RECORDS_PER_HOST_MAX):
        assert shelf.hold(record(key(number), publisher=number), at) is Verdict.HELD


def test_one_host_has_a_bounded_number_of_records_whatever_its_keys() -> None:  # DHT-19
    shelf = Shelf()
    fill_host(shelf)

    assert shelf.hold(record(key(9_999), publisher=9_999)) is Verdict.NO_ROOM
    assert shelf.hold(record(key(9_999), publisher=9_999), at=2) is Verdict.HELD
    assert shelf.hold(record(key(9_999), publisher=9_999, sequence=2)) is Verdict.NO_ROOM


def test_loopback_has_no_quota_on_a_development_chain() -> None:  # DHT-6
    shelf = Shelf(HostPolicy(takes_loopback=True))
    fill_host(shelf, "127.0.0.1")

    assert shelf.hold(record(key(9_999), publisher=9_999), "127.0.0.1") is Verdict.HELD


def test_under_a_full_key_the_most_crowded_host_loses_what_expires_first() -> None:  # DHT-19
    shelf = Shelf()
    for number in range(RECORDS_PER_KEY_MAX):
        lives_seconds = 100 if number == 20 else 600 + number
        shelf.hold(record(publisher=number, lives_seconds=lives_seconds), at=1)

    assert shelf.hold(record(publisher=99), at=2) is Verdict.HELD
    publishers = [int.from_bytes(one.claim.publisher, "big") for one in shelf.under()]
    assert len(publishers) == RECORDS_PER_KEY_MAX
    assert 99 in publishers
    assert 20 not in publishers


def test_a_crowded_host_cannot_push_others_out_of_a_full_key() -> None:  # DHT-19
    shelf = Shelf()
    for number in range(RECORDS_PER_KEY_MAX):
        shelf.hold(record(publisher=number), at=number % 4)

    assert shelf.hold(record(publisher=99, lives_seconds=86_000), at=3) is Verdict.NO_ROOM
    assert len(shelf.under()) == RECORDS_PER_KEY_MAX


def test_a_full_store_gives_up_the_farthest_key_for_a_nearer_one() -> None:  # DHT-19
    shelf = Shelf()
    keys = [key(number) for number in range(RECORDS_MAX + 2)]
    by_distance = sorted(keys, key=lambda name: distance(OWN.id, name))
    nearest, farthest = by_distance[0], by_distance[-1]
    rest = [name for name in keys if name not in {nearest, farthest}]
    for number, name in enumerate(rest):
        assert shelf.hold(record(name, publisher=number), at=number % 16) is Verdict.HELD

    assert shelf.hold(record(farthest, publisher=99_999), at=99) is Verdict.NO_ROOM
    assert shelf.hold(record(nearest, publisher=99_999), at=99) is Verdict.HELD
    assert len(shelf.store) == RECORDS_MAX
    assert shelf.under(by_distance[-2]) == []
    assert len(shelf.under(by_distance[-3])) == 1


def test_room_that_was_given_back_can_be_used_again() -> None:  # DHT-19
    shelf = Shelf()
    for number in range(RECORDS_PER_PUBLISHER_MAX):
        shelf.hold(record(key(number), lives_seconds=60))
    shelf.store.expire(START_MS + 61_000)

    assert shelf.hold(record(key(9_999))) is Verdict.HELD
    assert len(shelf.store) == 1
