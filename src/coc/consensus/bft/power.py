"""Voting power: who may vote at a height, what a quorum is, and what is too much to be all faulty.

With power `n` in all, less than `n / 3` may be faulty. A quorum is more than two thirds (the paper's 2f + 1);
more than one third (f + 1) holds an honest validator.
"""

from __future__ import annotations

from functools import lru_cache

from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32
from coc.primitives.validators import SETS_KEPT, Validator, ValidatorSet


def is_quorum(power: int, total: int) -> bool:
    """Whether `power` is more than two thirds of `total`."""
    return 3 * power > 2 * total


def holds_an_honest_one(power: int, total: int) -> bool:
    """Whether `power` is more than one third of `total`."""
    return 3 * power > total


@frozen
class Electorate:
    """A validator set with its sums and its index, made once a height."""

    entries: tuple[Validator, ...]
    positions: dict[Address, int]
    total: int
    set_hash: Hash32

    @classmethod
    def of(cls, validators: ValidatorSet) -> Electorate:
        """Index a set; heights that follow each other have the same one."""
        return _electorate_of(validators)

    def position(self, validator: Address) -> int | None:
        """Where a validator stands in the set, None for a stranger."""
        return self.positions.get(validator)

    def power_at(self, index: int) -> int:
        """The power of the entry at this position."""
        return self.entries[index].power

    def is_quorum(self, power: int) -> bool:
        """Whether this much power decides."""
        return is_quorum(power, self.total)

    def holds_an_honest_one(self, power: int) -> bool:
        """Whether this much power cannot all be faulty."""
        return holds_an_honest_one(power, self.total)


@lru_cache(maxsize=SETS_KEPT)
def _electorate_of(validators: ValidatorSet) -> Electorate:
    entries = validators.validators
    positions = {entry.id: index for index, entry in enumerate(entries)}
    return Electorate(entries, positions, sum(entry.power for entry in entries), validators.hash())
