"""Randomness that is handed in: a counter under keccak-256, so one seed gives one run (DHT-2).

A live node's seed comes from the operating system and stays secret: request ids must not be guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from coc.primitives.keccak import keccak256

T = TypeVar("T")

DICE_DOMAIN = b"COC/dht/dice/1\x00"


class Dice:
    """Draws numbers; the same seed draws the same ones."""

    def __init__(self, seed: bytes) -> None:
        """Start at the first draw of a seed."""
        self._seed = DICE_DOMAIN + seed
        self._drawn = 0

    def below(self, bound: int) -> int:
        """A number from 0 to `bound` - 1; the bias is below 2^-32 for bounds up to 2^224."""
        self._drawn += 1
        return int.from_bytes(keccak256(self._seed + self._drawn.to_bytes(8, "big")), "big") % bound

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """At most `count` different items, in random order."""
        left = list(items)
        for place in range(min(count, len(left))):
            other = place + self.below(len(left) - place)
            left[place], left[other] = left[other], left[place]
        return left[:count]
