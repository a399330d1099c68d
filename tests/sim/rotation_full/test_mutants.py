"""Every planted fault of the node of turns is found: by the seed the table names, or by one of the first."""

from __future__ import annotations

import pytest

from tests.planted_faults.hunt import Mutant
from tests.sim.rotation_full.mutants import HUNT


def test_the_table_names_every_mutant() -> None:
    HUNT.check_table()


@pytest.mark.parametrize("mutant", HUNT.mutants, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_found_and_the_sound_node_passes(mutant: Mutant) -> None:
    HUNT.prove(mutant)
