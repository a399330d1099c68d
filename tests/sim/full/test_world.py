"""The dice of a run draw what every run before them drew, and a node does whatever it is asked for."""

from __future__ import annotations

from random import Random
from typing import get_args

from coc.node.validator.effects import AddressesFound, DialNode, Effect, SetDhtTimer, SignRecord
from coc.sim.full.network import Network
from coc.sim.full.plan import calm_plan
from coc.sim.full.world import Dice


def test_a_number_between_two_is_the_one_that_the_standard_library_draws() -> None:
    ours, theirs = Dice(7), Random(7)
    bounds = [(low, low + span) for low in (0, 1, 30) for span in (0, 1, 3, 4, 29, 1_199) for _ in range(20)]
    assert [ours.between(*each) for each in bounds] == [theirs.randint(*each) for each in bounds]


def test_a_simulated_node_knows_every_effect_but_those_of_the_table_of_nodes() -> None:
    node = Network(calm_plan(0)).nodes[0]
    of_the_table = {DialNode, SetDhtTimer, SignRecord, AddressesFound}
    assert set(node.actions) == set(get_args(Effect)) - of_the_table
