"""One lookup by itself: whom it asks, when it is done, what a path may remember (DHT-9 to DHT-12, DHT-25)."""

from __future__ import annotations

from collections.abc import Sequence

from coc.primitives.limits_dht import (
    BUCKET_ENTRIES_MAX,
    CANDIDATE_ADDRESSES_MAX,
    FOUND_RECORDS_MAX,
    PATH_ASKS_MAX,
    PATH_CANDIDATES_MAX,
    PATH_HOST_CANDIDATES_MAX,
    PATH_QUERIES_MAX,
    PATH_VALUE_ANSWERS_MAX,
)
from coc.primitives.types import Hash32, PeerId
from coc.wire.dht.hosts import Contact, HostPolicy
from coc.wire.dht.lookup import Goal, Lookup, Search, Standing
from coc.wire.dht.table import Table
from tests.wire.dht.playbook import OWN, contact_at
from tests.wire.dht.test_store import record

TARGET = Hash32(bytes(32))


def at(offset: int, where: str = "") -> Contact:
    """A contact at this distance from the target."""
    return contact_at(offset, where, own=TARGET)


def lookup(*seeds: list[Contact], goal: Goal = Goal.LOOK_UP) -> Lookup:
    return Lookup(Search(goal, TARGET), Table(OWN.id, HostPolicy()), seeds or ([],))


def asked(search: Lookup) -> list[Contact]:
    """Whom it asks now, until it wants to wait."""
    wanted = []
    while (contact := search.next_contact()) is not None:
        wanted.append(contact)
    return wanted


def distances(contacts: Sequence[Contact]) -> list[int]:
    return [int.from_bytes(one.id, "big") for one in contacts]


def answer_all(search: Lookup, rounds: int = 100) -> int:
    """Answer everybody with nothing new; how many were asked."""
    count = 0
    for _ in range(rounds):
        wanted = asked(search)
        for contact in wanted:
            search.answered(contact.id, [])
        count += len(wanted)
    return count


def test_the_nearest_are_asked_first_and_alpha_at_a_time() -> None:  # DHT-9
    search = lookup([at(9), at(4), at(7), at(2), at(5)])

    assert distances(asked(search)) == [2, 4, 5] == [2, 4, 5][:PATH_ASKS_MAX]
    search.answered(at(4).id, [])
    assert distances(asked(search)) == [7]


def test_what_an_answer_names_is_asked_next_if_it_is_nearer() -> None:  # DHT-9
    search = lookup([at(8), at(90), at(91), at(92)])
    asked(search)
    search.answered(at(8).id, [at(1)])

    assert distances(asked(search)) == [1]


def test_a_lookup_is_done_when_the_k_nearest_it_knows_have_answered() -> None:  # DHT-9
    search = lookup([at(number) for number in range(1, 41)])

    assert answer_all(search) == BUCKET_ENTRIES_MAX
    assert search.is_done
    assert distances(search.nearest()) == list(range(1, BUCKET_ENTRIES_MAX + 1))


def test_whoever_fails_makes_room_for_the_next_and_is_not_in_the_result() -> None:  # DHT-9
    search = lookup([at(number) for number in range(1, 41)])
    first, *_ = asked(search)
    search.failed(first.id, is_unreachable=False)
    answer_all(search)
    for contact in (at(2), at(3)):
        search.answered(contact.id, [])
    answer_all(search)

    assert distances(search.nearest()) == list(range(2, BUCKET_ENTRIES_MAX + 2))


def test_a_lookup_waits_for_whoever_is_asked() -> None:  # DHT-9
    search = lookup([at(1)])
    asked(search)
    assert not search.is_done
    search.answered(at(1).id, [])
    assert search.is_done


def test_a_second_answer_of_one_node_and_answers_of_strangers_are_not_heard() -> None:  # DHT-9
    search = lookup([at(5), at(6)])
    asked(search)
    search.answered(at(5).id, [])
    search.answered(at(5).id, [at(1)])
    search.answered(PeerId(b"x" * 32), [at(2)])
    search.failed(at(5).id, is_unreachable=False)

    assert asked(search) == []
    assert distances(search.nearest()) == [5]


def test_two_paths_share_no_node() -> None:  # DHT-10
    both = [at(number) for number in range(1, 13)]
    search = lookup(both[:], both[:])
    first = asked(search)
    for contact in first:
        search.answered(contact.id, both)
    second = asked(search)

    assert len(first) == 2 * PATH_ASKS_MAX
    assert len({*distances(first), *distances(second)}) == len(first) + len(second) == len(both)


def test_a_path_knows_only_what_its_own_answers_told_it() -> None:  # DHT-10
    liar, honest = at(200), at(201)
    search = lookup([liar], [honest])
    asked(search)
    search.answered(liar.id, [at(number) for number in range(1, 21)])
    search.answered(honest.id, [at(number) for number in range(100, 120)])
    wanted = asked(search)

    assert distances(wanted) == [1, 100, 2, 101, 3, 102]


def test_lies_on_one_path_cannot_end_the_other() -> None:  # DHT-10
    search = lookup([at(200)], [at(201)])
    asked(search)
    search.answered(at(200).id, [at(number) for number in range(1, 21)])
    search.answered(at(201).id, [at(number) for number in range(100, 120)])
    answer_all(search)

    assert search.is_done
    assert distances(search.nearest()) == list(range(1, 21))
    assert answered_count(search) == 42


def answered_count(search: Lookup) -> int:
    return sum(one.standing is Standing.ANSWERED for one in search._candidates.values())


def test_a_path_that_began_with_nobody_gets_its_share_of_the_first_answer() -> None:  # DHT-10
    search = lookup([at(200)], [])
    asked(search)
    search.answered(at(200).id, [at(number) for number in range(1, 9)])

    assert distances(asked(search)) == [1, 2, 3, 4, 5, 6]
    assert [rank[0] for rank in search._paths[1].order] == [2, 4, 6, 8]


def test_another_address_is_tried_when_nobody_is_at_the_first() -> None:  # DHT-9
    search = lookup([at(1, "9.9.9.1"), at(200)])
    asked(search)
    search.answered(at(200).id, [at(1, "9.9.9.2")])
    search.failed(at(1).id, is_unreachable=True)

    assert asked(search) == [at(1, "9.9.9.2")]


def test_a_candidate_that_failed_gets_a_new_chance_with_a_new_address_only() -> None:  # DHT-9
    search = lookup([at(1, "9.9.9.1"), at(200), at(201)])
    asked(search)
    search.failed(at(1).id, is_unreachable=True)
    search.answered(at(200).id, [at(1, "9.9.9.1")])
    assert asked(search) == []
    search.answered(at(201).id, [at(1, "9.9.9.2")])

    assert asked(search) == [at(1, "9.9.9.2")]


def test_at_most_two_addresses_are_tried() -> None:  # DHT-9
    seeds = [at(1, f"9.9.9.{number}") for number in range(CANDIDATE_ADDRESSES_MAX + 1)]
    search = lookup(seeds)
    tried = []
    for _ in range(5):
        for contact in asked(search):
            tried.append(contact)
            search.failed(contact.id, is_unreachable=True)

    assert tried == seeds[:CANDIDATE_ADDRESSES_MAX]


def test_a_path_asks_a_bounded_number_of_nodes_however_long_answers_go_on() -> None:  # DHT-12
    search = lookup([at(1 << 200)])
    count, step = 0, 1 << 199
    while wanted := asked(search):
        for contact in wanted:
            count += 1
            step -= 100
            search.answered(contact.id, [at(step + number) for number in range(20)])

    assert count == PATH_QUERIES_MAX
    assert search.is_done


def test_a_path_remembers_a_bounded_number_of_candidates_and_drops_the_farthest() -> None:  # DHT-12
    search = lookup([at(number) for number in range(1_000, 1_000 - 2 * PATH_CANDIDATES_MAX, -1)])
    order = search._paths[0].order

    assert len(order) == len(search._paths[0].groups) == PATH_CANDIDATES_MAX
    assert order[0][0] == 1_001 - 2 * PATH_CANDIDATES_MAX


def test_a_path_remembers_four_candidates_of_one_host() -> None:  # DHT-12
    search = lookup([at(number, "9.9.9.9") for number in range(1, 20)])

    assert answer_all(search) == PATH_HOST_CANDIDATES_MAX


def test_a_candidate_that_fails_frees_the_place_of_its_host() -> None:  # DHT-12
    search = lookup([*(at(number, "9.9.9.9") for number in range(1, 5)), at(100)])
    for contact in asked(search):
        search.failed(contact.id, is_unreachable=True)
    asked(search)
    search.answered(at(100).id, [at(50, "9.9.9.9")])

    assert asked(search) == [at(50, "9.9.9.9")]


def test_hosts_that_must_not_be_dialled_and_ourselves_are_no_candidates() -> None:  # DHT-6
    search = lookup([at(1, "127.0.0.1"), at(2, "10.0.0.1"), at(3, "169.254.1.1"), contact_at(0)])

    assert asked(search) == []
    assert search.is_done


def test_a_path_ends_with_the_second_holder_of_a_value() -> None:  # DHT-25
    search = lookup([at(number) for number in range(1, 30)], goal=Goal.FIND_VALUE)
    for holder in asked(search)[:PATH_VALUE_ANSWERS_MAX]:
        search.found(holder.id, [record()])
        search.answered(holder.id, [])

    assert asked(search) == []
    assert not search.is_done
    search.answered(at(3).id, [])
    assert search.is_done


def test_the_newest_record_of_each_publisher_is_found() -> None:  # DHT-18
    search = lookup([at(1), at(2)], goal=Goal.FIND_VALUE)
    asked(search)
    search.found(at(1).id, [record(sequence=2), record(publisher=5)])
    search.found(at(2).id, [record(sequence=1)])

    assert search.newest([record(sequence=3)]) == (record(sequence=3), record(publisher=5))


def test_a_bounded_number_of_records_is_found() -> None:  # DHT-25
    search = lookup([at(1)], goal=Goal.FIND_VALUE)
    search.found(at(1).id, [record(publisher=number) for number in range(FOUND_RECORDS_MAX + 5)])

    assert len(search.newest([record(publisher=0, sequence=2)])) == FOUND_RECORDS_MAX
    assert search.newest([])[0] == record(publisher=0, sequence=2)
