"""The dice of a run draw what every run before them drew."""

from __future__ import annotations

from random import Random

from coc.sim.full.world import Dice


def test_a_number_between_two_is_the_one_that_the_standard_library_draws() -> None:
    ours, theirs = Dice(7), Random(7)
    bounds = [(low, low + span) for low in (0, 1, 30) for span in (0, 1, 3, 4, 29, 1_199) for _ in range(20)]
    assert [ours.between(*each) for each in bounds] == [theirs.randint(*each) for each in bounds]
