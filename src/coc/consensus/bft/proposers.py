"""Who proposes: a pure function of set, skip list, height and round (BFT-4).

Each validator gets as many places in a schedule as its share of the power; place `j` of `w` lies at
`(2j + 1) / 2w` of the schedule's length, and places are taken in that order. Equal powers give plain
rotation; one with twice the power comes twice as often, evenly spread.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

from coc.primitives.types import Address, Height
from coc.primitives.validators import Validator, ValidatorSet

_PLACES = 1024
"""Places of a schedule at most, and one more for each validator with less than its 1/1024 share."""
_SCALE = 1 << 64
_SCHEDULES_KEPT = 8


def proposer_of(
    validators: ValidatorSet, skipped: frozenset[Address], height: Height, round_: int
) -> Validator:
    """The validator that proposes in this round.

    `skipped` are the validators convicted in the parent's state; if that is all of them, nobody is skipped.
    """
    schedule = _schedule(validators, skipped)
    return validators.validators[schedule[(height + round_) % len(schedule)]]


@lru_cache(maxsize=_SCHEDULES_KEPT)
def _schedule(validators: ValidatorSet, skipped: frozenset[Address]) -> tuple[int, ...]:
    """Positions in the set, in the order of proposing."""
    entries = list(enumerate(validators.validators))
    able = [(index, entry.power) for index, entry in entries if entry.id not in skipped and entry.power]
    if not able:
        able = [(index, entry.power or 1) for index, entry in entries]
    places = _places([power for _, power in able])
    order = sorted(
        ((2 * place + 1) * _SCALE // (2 * count), index)
        for (index, _), count in zip(able, places, strict=True)
        for place in range(count)
    )
    return tuple(index for _, index in order)


def _places(powers: list[int]) -> list[int]:
    """The powers themselves in lowest terms, or scaled down to about `_PLACES` in all."""
    divisor = gcd(*powers)
    reduced = [power // divisor for power in powers]
    total = sum(reduced)
    if total <= _PLACES:
        return reduced
    return [max(1, power * _PLACES // total) for power in reduced]
