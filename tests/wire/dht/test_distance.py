"""The metric, and the dice that stand in for chance (DHT-1, DHT-2)."""

from __future__ import annotations

from coc.primitives.keccak import keccak256
from coc.wire.dht.dice import Dice
from coc.wire.dht.distance import BUCKETS, bucket_of, distance, id_in_bucket
from coc.wire.dht.rules import peer_id_of

ZERO = bytes(32)


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_a_node_is_named_by_the_hash_of_its_key() -> None:  # DHT-1
    assert bytes(peer_id_of(b"k" * 64)) == keccak256(b"k" * 64)


def test_distance_is_exclusive_or_and_symmetric() -> None:  # DHT-1
    assert distance(number(0b1100), number(0b1010)) == 0b0110
    assert distance(number(0b1010), number(0b1100)) == 0b0110


def test_a_bucket_spans_one_power_of_two() -> None:  # DHT-1
    assert [bucket_of(ZERO, number(value)) for value in (1, 2, 3, 4, 7, 8)] == [0, 1, 1, 2, 2, 3]
    assert bucket_of(ZERO, b"\xff" * 32) == BUCKETS - 1
    assert bucket_of(ZERO, ZERO) == -1


def test_a_random_id_lies_in_the_bucket_it_was_drawn_for() -> None:  # DHT-14
    dice = Dice(b"seed")
    own = keccak256(b"own")
    drawn = [id_in_bucket(own, bucket, dice) for bucket in range(BUCKETS)]

    assert [bucket_of(own, one) for one in drawn] == list(range(BUCKETS))
    assert id_in_bucket(own, 255, dice) != id_in_bucket(own, 255, dice)


def test_the_same_seed_draws_the_same_numbers_and_another_does_not() -> None:  # DHT-2
    first, second, other = Dice(b"seed"), Dice(b"seed"), Dice(b"other")
    drawn = [first.below(1 << 64) for _ in range(4)]

    assert drawn == [second.below(1 << 64) for _ in range(4)] != [other.below(1 << 64) for _ in range(4)]
    assert len(set(drawn)) == 4


def test_a_sample_has_each_item_at_most_once_and_no_more_than_there_are() -> None:
    dice = Dice(b"seed")

    assert sorted(dice.sample(range(5), 9)) == [0, 1, 2, 3, 4]
    assert len(set(dice.sample(range(100), 10))) == 10
    assert {dice.sample(range(3), 1)[0] for _ in range(50)} == {0, 1, 2}
