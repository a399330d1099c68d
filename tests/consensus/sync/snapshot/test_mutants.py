"""Every planted fault of snapshot sync is found: by the seed the table names, or by one of the first."""

from __future__ import annotations

import pytest

from tests.consensus.sync.snapshot.mutants import HUNT
from tests.planted_faults.hunt import Mutant


def test_the_table_names_every_mutant() -> None:
    HUNT.check_table()


@pytest.mark.parametrize("mutant", HUNT.mutants, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_found_and_the_sound_machine_passes(mutant: Mutant) -> None:
    HUNT.prove(mutant)
