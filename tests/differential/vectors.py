"""The committed set of tests, chosen by what they exercise: ``make test`` needs no specification.

For each network, chains of the first seeds are executed under the specification's trace, and those that add
most per byte to what the set covers are kept. The choice is deterministic; a test's name holds its seed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .campaign import Case, on_deep_stack
from .chains import random_chain
from .coverage import covered_by_case, covered_by_chain
from .difficulty import write_difficulty_tests
from .eels import Undefined
from .fixtures import Json, blocktest_json, write
from .networks import NETWORKS, Fork
from .single import random_state_case
from .statetests import statetest_json

CANDIDATE_CHAINS = 16
"""Seeds tried for each network."""

CANDIDATE_STATES = 400
"""Seeds tried for state tests."""

CHAINS_OF_NETWORK = 2
BOMB_FORKS = (Fork.MUIR_GLACIER, Fork.ARROW_GLACIER, Fork.GRAY_GLACIER)
"""Changing to one of these changes nothing but the difficulty bomb: one chain will do."""

STATE_FILES = 6
STATES_OF_FILE = 10

MAX_TEST_BYTES = 100_000
"""Larger tests stay out: the whole set shall stay below six megabytes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A test with the names of what it exercises."""

    name: str
    test: Json
    size: int
    covers: frozenset[str]


def write_vectors(folder: Path, jobs: int, report: Callable[[str], None]) -> None:
    """Write all files again."""
    covered: set[str] = set()
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for name, network in NETWORKS.items():
            cases = [Case(name, seed) for seed in range(CANDIDATE_CHAINS)]
            count = 1 if network.second in BOMB_FORKS else CHAINS_OF_NETWORK
            chosen = choose([one for one in pool.map(candidate, cases) if one], count, covered)
            write(folder / "blocktests" / f"{name}.json", {one.name: one.test for one in chosen})
            report(f"{name}: {', '.join(one.name for one in chosen)}")
        states = [Case("", seed) for seed in range(CANDIDATE_STATES)]
        kept = choose(
            [one for one in pool.map(candidate, states) if one], STATE_FILES * STATES_OF_FILE, covered
        )
    for number in range(STATE_FILES):
        part = kept[number * STATES_OF_FILE : (number + 1) * STATES_OF_FILE]
        write(folder / "statetests" / f"random_{number}.json", {one.name: one.test for one in part})
    write_difficulty_tests(folder / "difficulty" / "difficulty.json")
    report(f"{len(covered)} different things covered")


def candidate(case: Case) -> Candidate | None:
    """The test of a case; None where the specification cannot judge it or it is too large."""

    def run() -> Candidate | None:
        try:
            if case.network:
                chain, covers = covered_by_chain(random_chain(NETWORKS[case.network], case.seed))
                test = blocktest_json(chain, whole_state=False)
            else:
                state, covers = covered_by_case(random_state_case(case.seed))
                test = statetest_json(state, whole_state=False)
        except (Undefined, RecursionError):
            return None
        size = len(json.dumps(test))
        return Candidate(case.name, test, size, covers) if size <= MAX_TEST_BYTES else None

    result: Candidate | None = on_deep_stack(run)
    return result


def choose(candidates: Sequence[Candidate], count: int, covered: set[str]) -> list[Candidate]:
    """Greedily the candidates that add most per byte; ``covered`` grows by what they exercise."""
    left = list(candidates)
    chosen: list[Candidate] = []
    while left and len(chosen) < count:
        best = max(left, key=lambda one: (len(one.covers - covered) / one.size, one.name))
        left.remove(best)
        chosen.append(best)
        covered |= best.covers
    return chosen
