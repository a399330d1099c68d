"""Every planted fault is found: by the seed the table names, or by one of the first hundred."""

from __future__ import annotations

import pytest

from coc.sim.rotation.campaign import run
from tests.sim.rotation.mutants import MUTANTS, SEEDS_MAX, Mutant, first_finding, recorded

SEED_OF = recorded()


def test_the_table_names_every_mutant() -> None:
    assert list(SEED_OF) == [mutant.name for mutant in MUTANTS]
    assert all(0 <= seed < SEEDS_MAX for seed in SEED_OF.values())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_found_and_the_sound_machine_passes(mutant: Mutant) -> None:
    found = first_finding(mutant, (SEED_OF[mutant.name],))

    assert found is not None, f"no run within {SEEDS_MAX} seeds finds: {mutant.name}"
    run(mutant.plan(found[0]))
