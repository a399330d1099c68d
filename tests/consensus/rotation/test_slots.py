"""Slots: time names the proposer, and rises by at least a slot a block (ROT-1, ROT-2, ROT-3)."""

from __future__ import annotations

import pytest

from coc.consensus.rotation.slots import RotationRules
from coc.primitives.types import Address, Hash32
from coc.primitives.validators import Validator, ValidatorSet


def validator(number: int) -> Validator:
    return Validator(Address(bytes([number]) * 20), bytes(64), bytes([number]) * 64, 1, Address(bytes(20)))


def rules(*, interval_s: int = 3, count: int = 3) -> RotationRules:
    members = tuple(validator(number) for number in range(count))
    return RotationRules(Hash32(bytes(32)), 1_000, interval_s, ValidatorSet(members))


def test_slots_count_intervals_since_genesis() -> None:
    assert [rules().slot_at(time) for time in (1_000, 1_002, 1_003, 1_008, 1_009)] == [0, 0, 1, 2, 3]


def test_validators_propose_in_turn_and_an_empty_slot_passes_the_turn_on() -> None:
    made = rules()
    assert [made.proposer(slot).id[0] for slot in range(7)] == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("parent", [1_000, 1_001, 1_002, 1_003, 1_500])
@pytest.mark.parametrize("interval_s", [1, 2, 7])
def test_the_earliest_time_after_a_parent_is_the_first_second_of_a_later_slot(
    parent: int, interval_s: int
) -> None:
    made = rules(interval_s=interval_s)
    earliest = made.earliest(parent)
    assert made.slot_at(earliest) == made.slot_at(parent) + 1
    assert made.slot_at(earliest - 1) == made.slot_at(parent)
    assert earliest > parent
