"""Every planted fault of snapshot sync is found by the seed that the table names."""

from __future__ import annotations

import pytest

from tests.consensus.sync.snapshot.mutants import MUTANTS, SEEDS_MAX, Mutant, first_finding, recorded
from tests.consensus.sync.snapshot.plans import plan_of
from tests.consensus.sync.snapshot.world import Fetch

SEED_OF = recorded()


def test_the_table_names_every_mutant() -> None:
    assert list(SEED_OF) == [mutant.name for mutant in MUTANTS]
    assert all(0 <= seed < SEEDS_MAX for seed in SEED_OF.values())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_found_and_the_sound_machine_passes(mutant: Mutant) -> None:
    seed = SEED_OF[mutant.name]
    assert first_finding(mutant, (seed,)) is not None, f"seed {seed} does not find: {mutant.name}"
    Fetch(plan_of(seed)).run()
