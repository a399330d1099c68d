"""Difficulty tests: the bombs lie millions of blocks beyond any test chain, so the formula is tested alone.

The format is that of ``ethereum/tests`` (``DifficultyTests``): for each fork, cases with the parent's
difficulty, time and ommers and the child's height and time.
"""

from __future__ import annotations

import random
from pathlib import Path

from .fixtures import Json, hex_quantity, write
from .networks import Fork
from .oracle import block_difficulty, specification

CASES_OF_FORK = 30
_SEED = "difficulty"
_MINIMUM = 0x20000
_BOMB_PERIOD = 100_000
"""The bomb doubles after so many blocks."""

_DELAYS = (0, 3_000_000, 5_000_000, 9_000_000, 9_700_000, 10_700_000, 11_400_000)
"""How far forks have put the bomb off; heights around each are drawn for all forks."""


def write_difficulty_tests(path: Path) -> None:
    """Write the cases of every fork with proof of work."""
    forks = [fork for fork in Fork if fork < Fork.PARIS and fork != Fork.DAO]
    tests: Json = {fork.label: _cases(fork) for fork in forks}
    write(path, {"difficulty": {"_info": {"comment": f"seed {_SEED}"}} | tests})


def _cases(fork: Fork) -> Json:
    dice = random.Random(f"{_SEED} {fork.label}")
    return {f"{fork.label}-{number}": _case(dice, fork) for number in range(CASES_OF_FORK)}


def _case(dice: random.Random, fork: Fork) -> Json:
    height = (
        dice.choice(_DELAYS)
        + dice.choice((0, 1, 2, 3, 10, 30)) * _BOMB_PERIOD
        + dice.choice((-1, 0, 1, 2, 77))
    )
    number = max(1, height)
    parent_difficulty = dice.choice((_MINIMUM, _MINIMUM + 64, 2**24, 2**45, dice.getrandbits(60) + _MINIMUM))
    parent_time = dice.randrange(2**32)
    elapsed = dice.choice((1, 8, 9, 10, 12, 13, 17, 18, 19, 20, 99, 989, 990, 1_000, 10_000))
    ommers = dice.random() < 0.4
    difficulty = block_difficulty(
        specification(fork), number, parent_time + elapsed, parent_time, parent_difficulty, ommers
    )
    return {
        "parentTimestamp": hex_quantity(parent_time),
        "parentDifficulty": hex_quantity(parent_difficulty),
        "parentUncles": "0x01" if ommers else "0x00",
        "currentTimestamp": hex_quantity(parent_time + elapsed),
        "currentBlockNumber": hex_quantity(number),
        "currentDifficulty": hex_quantity(difficulty),
    }
