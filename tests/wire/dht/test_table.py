"""The routing table by itself: order, quotas, spares, who is named (DHT-3 to DHT-8)."""

from __future__ import annotations

from coc.primitives.limits_dht import (
    BUCKET_ENTRIES_MAX,
    BUCKET_SPARES_MAX,
    ENTRY_FAILURES_MAX,
    HOST_BUCKET_ENTRIES_MAX,
    HOST_TABLE_ENTRIES_MAX,
)
from coc.primitives.types import PeerId
from coc.wire.dht.dice import Dice
from coc.wire.dht.distance import distance
from coc.wire.dht.hosts import Contact, HostPolicy
from coc.wire.dht.table import Place, Table
from tests.wire.dht.playbook import OWN, contact_at

FAR = 1 << 255


def table(policy: HostPolicy | None = None) -> Table:
    return Table(OWN.id, policy or HostPolicy())


def far(number: int, at: str = "") -> Contact:
    return contact_at(FAR + number, at)


def full() -> Table:
    """A table whose farthest bucket is full; `far(0)` was heard first."""
    made = table()
    for number in range(BUCKET_ENTRIES_MAX):
        assert made.admit(far(number), number) is Place.ENTERED
    return made


def test_a_bucket_takes_k_entries_and_lets_the_next_wait() -> None:  # DHT-3
    made = full()

    assert made.admit(far(99), 100) is Place.SPARE
    assert len(made) == BUCKET_ENTRIES_MAX
    assert made.find(far(99).id) is None


def test_the_entry_heard_least_recently_is_the_first_of_its_bucket() -> None:  # DHT-3
    made = full()
    made.heard(far(0).id, 50)
    oldest = made.bucket(far(0).id).oldest

    assert oldest is not None
    assert oldest.contact == far(1)


def test_an_entry_that_connects_again_counts_as_heard() -> None:  # DHT-3
    made = full()

    assert made.admit(far(0), 50) is Place.KNOWN
    oldest = made.bucket(far(0).id).oldest
    assert oldest is not None
    assert oldest.contact == far(1)


def test_we_never_enter_our_own_table() -> None:
    made = table()

    assert made.admit(contact_at(0), 0) is Place.REFUSED
    assert made.judge(contact_at(0)) is None


def test_one_host_has_two_entries_in_a_bucket() -> None:  # DHT-6
    made = table()
    places = [made.admit(far(number, "9.9.9.9"), 0) for number in range(HOST_BUCKET_ENTRIES_MAX + 1)]

    assert places == [Place.ENTERED] * HOST_BUCKET_ENTRIES_MAX + [Place.REFUSED]


def test_one_host_has_ten_entries_in_the_table() -> None:  # DHT-6
    made = table()
    places = [made.admit(contact_at(1 << bucket, "9.9.9.9"), 0) for bucket in range(40, 55)]

    assert places.count(Place.ENTERED) == len(made) == HOST_TABLE_ENTRIES_MAX


def test_addresses_of_one_ipv6_customer_share_a_quota() -> None:  # DHT-6
    made = table()
    places = [made.admit(far(number, f"2a00:1:2:{number}::1"), 0) for number in range(3)]

    assert places[-1] is Place.REFUSED


def test_an_entry_that_leaves_gives_its_quota_back() -> None:  # DHT-6
    made = table()
    for number in range(HOST_BUCKET_ENTRIES_MAX):
        made.admit(far(number, "9.9.9.9"), 0)
    made.remove(far(0).id, 0)

    assert made.admit(far(5, "9.9.9.9"), 0) is Place.ENTERED


def test_loopback_is_refused_unless_the_chain_is_a_development_chain() -> None:  # DHT-6
    strict, lenient = table(), table(HostPolicy(takes_loopback=True))
    for number in range(BUCKET_ENTRIES_MAX):
        assert strict.admit(far(number, "127.0.0.1"), 0) is Place.REFUSED
        assert lenient.admit(far(number, "127.0.0.1"), 0) is Place.ENTERED


def test_a_node_that_moves_is_counted_where_it_is_now() -> None:  # DHT-6
    made = table()
    for number in range(HOST_BUCKET_ENTRIES_MAX):
        made.admit(far(number, "9.9.9.9"), 0)
    made.admit(far(0, "9.9.9.10"), 1)

    assert made.find(far(0).id) is not None
    assert made.admit(far(2, "9.9.9.9"), 2) is Place.ENTERED


def test_the_youngest_spare_takes_the_place_of_an_entry_that_leaves() -> None:  # DHT-7
    made = full()
    made.admit(far(50), 50)
    made.admit(far(51), 51)

    assert made.remove(far(0).id, 60) == far(51)
    assert made.find(far(51).id) is not None


def test_a_spare_whose_host_has_no_quota_is_passed_over() -> None:  # DHT-7
    made = table()
    for number in range(BUCKET_ENTRIES_MAX):
        made.admit(far(number, "9.9.9.9" if number == 1 else ""), number)
    made.admit(far(50), 50)
    made.admit(far(51, "9.9.9.9"), 51)
    for bucket in range(40, 40 + HOST_TABLE_ENTRIES_MAX - 1):
        made.admit(contact_at(1 << bucket, "9.9.9.9"), 52)

    assert made.remove(far(0).id, 60) == far(50)


def test_spares_are_bounded_and_the_oldest_goes() -> None:  # DHT-7
    made = full()
    for number in range(BUCKET_SPARES_MAX + 1):
        made.admit(far(50 + number), 50)
    spares = made.bucket(far(0).id).spares

    assert len(spares) == BUCKET_SPARES_MAX
    assert far(50).id not in spares


def test_one_host_has_two_spares_in_a_bucket() -> None:  # DHT-6
    made = full()
    for number in range(6):
        made.admit(far(50 + number, "9.9.9.9"), 50)

    assert len(made.bucket(far(0).id).spares) == HOST_BUCKET_ENTRIES_MAX


def test_a_second_failure_in_a_row_removes_an_entry() -> None:  # DHT-8
    made = table()
    made.admit(far(0), 0)
    for _ in range(ENTRY_FAILURES_MAX - 1):
        made.failed(far(0).id, 1)
        assert made.find(far(0).id) is not None
    made.failed(far(0).id, 1)

    assert made.find(far(0).id) is None


def test_whatever_a_node_says_clears_its_failures() -> None:  # DHT-8
    made = table()
    made.admit(far(0), 0)
    for _ in range(2 * ENTRY_FAILURES_MAX):
        made.failed(far(0).id, 1)
        made.heard(far(0).id, 2)

    assert made.find(far(0).id) is not None


def test_a_first_failure_is_enough_if_a_spare_waits() -> None:  # DHT-8
    made = full()
    made.admit(far(50), 50)

    assert made.failed(far(7).id, 60) == far(50)
    assert made.find(far(7).id) is None


def test_the_nearest_come_first_and_are_the_nearest_of_all() -> None:  # DHT-5
    made = table()
    dice = Dice(b"table")
    for _ in range(400):
        offset = dice.below(1 << 256) >> dice.below(20)
        made.admit(contact_at(offset), 0)
    for target in (OWN.id, contact_at(1).id, contact_at(FAR).id, contact_at(dice.below(1 << 256)).id):
        by_hand = sorted(made, key=lambda one: distance(target, one.id))[:BUCKET_ENTRIES_MAX]
        assert made.closest(target) == by_hand


def test_neither_the_asker_nor_a_failing_node_is_named() -> None:  # DHT-5
    made = table()
    for number in range(3):
        made.admit(far(number), 0)
    made.failed(far(1).id, 1)

    assert made.named_to(far(0).id, far(0).id) == (far(2),)
    assert made.closest(far(0).id) == [far(0), far(1), far(2)]


def test_an_asker_among_the_nearest_is_told_of_k_others() -> None:  # DHT-5
    made = full()
    made.admit(contact_at(1), 0)

    assert len(made.named_to(far(0).id, far(0).id)) == BUCKET_ENTRIES_MAX


def test_a_spread_takes_from_every_bucket_before_it_takes_twice() -> None:  # DHT-11
    made = table()
    for bucket in (200, 210, 220):
        for number in range(5):
            made.admit(contact_at((1 << bucket) + number), 0)
    left_out = list(made)[:5]
    spread = made.spread(Dice(b"spread"), 6, left_out)
    buckets = [distance(OWN.id, one.id).bit_length() - 1 for one in spread]

    assert sorted(buckets) == [210, 210, 210, 220, 220, 220]
    assert buckets[0] != buckets[1]


def test_what_the_table_knows_goes_before_what_others_say() -> None:  # DHT-9
    made = table()
    made.admit(far(0, "9.1.1.1"), 0)

    assert made.judge(far(0, "9.2.2.2")) == far(0, "9.1.1.1")
    assert made.judge(far(1, "9.2.2.2")) == far(1, "9.2.2.2")
    assert made.judge(far(2, "10.0.0.1")) is None


def test_the_nearest_bucket_is_that_of_the_nearest_neighbour() -> None:  # DHT-14
    made = table()
    assert made.nearest_bucket() == 256
    made.admit(contact_at(1 << 250), 0)
    made.admit(contact_at(1 << 240), 0)
    assert made.nearest_bucket() == 240
    made.remove(PeerId(contact_at(1 << 240).id), 0)
    assert made.nearest_bucket() == 250
