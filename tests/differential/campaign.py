"""Campaigns: many seeds, each case executed by the specification, given to the client, shrunk if it fails.

The specification is slow and single-threaded, so cases are built by a pool of processes; the client gets them
in batches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .assembly import build_chain
from .chains import random_chain
from .client import Client, Failure
from .eels import Undefined
from .fixtures import Json, blocktest_json, write
from .networks import NETWORKS
from .plan import Chain, StateCase
from .shrink import CASE_PHASES, CHAIN_PHASES, shrink
from .single import random_state_case
from .statetests import build_state_case, statetest_json

_STACK_BYTES = 512 * 2**20
"""Stack of the thread that executes: 1,024 EVM frames are some 12,000 Python frames."""

BATCH = 40
"""Cases given to the client at once."""


@dataclass(frozen=True, slots=True)
class Case:
    """A seed, and its network's name or nothing for a state test."""

    network: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the test and of its file."""
        return f"{self.network or 'state'}-{self.seed}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A disagreement with the file of its smallest form."""

    case: Case
    failure: Failure
    fixture: Path


@dataclass(frozen=True, slots=True)
class Tally:
    """What a campaign did."""

    cases: int
    undefined: tuple[str, ...]
    findings: tuple[Finding, ...]


def on_deep_stack(run: Callable[[], Any]) -> Any:
    """Call a function in a thread whose stack holds the deepest EVM recursion."""
    results: list[Any] = []
    threading.stack_size(_STACK_BYTES)
    thread = threading.Thread(target=lambda: results.append(run()))
    thread.start()
    thread.join()
    if not results:
        raise RuntimeError("the specification's thread died; its traceback is above")
    return results[0]


def build(case: Case) -> Json | str:
    """The test of a case, or why the specification could not judge it."""

    def run() -> Json | str:
        try:
            return _render(_plan_of(case))
        except (Undefined, RecursionError) as error:
            return f"{case.name}: {error}"

    result: Json | str = on_deep_stack(run)
    return result


def run_campaign(cases: Sequence[Case], client: Client, folder: Path, report: Callable[[str], None]) -> Tally:
    """Build and compare all cases. Findings are shrunk and written to ``folder``."""
    undefined: list[str] = []
    findings: list[Finding] = []
    done = 0
    with ProcessPoolExecutor(max_workers=client.jobs) as pool:
        for batch in _batches(cases):
            tests: dict[Case, Json] = {}
            for case, result in zip(batch, pool.map(build, batch), strict=True):
                if isinstance(result, str):
                    undefined.append(result)
                else:
                    tests[case] = result
            findings += _compare(tests, client, folder, report)
            done += len(batch)
            report(f"{done}/{len(cases)} cases, {len(findings)} disagreements, {len(undefined)} undefined")
    return Tally(done, tuple(undefined), tuple(findings))


def _compare(
    tests: dict[Case, Json], client: Client, folder: Path, report: Callable[[str], None]
) -> Iterator[Finding]:
    for is_state in (False, True):
        chosen = {case: test for case, test in tests.items() if (case.network == "") == is_state}
        if not chosen:
            continue
        path = folder / ("states.json" if is_state else "chains.json")
        write(path, {case.name: test for case, test in chosen.items()})
        failures = client.statetests([path]) if is_state else client.blocktests([path])
        by_name = {failure.name: failure for failure in reversed(failures)}
        for case in chosen:
            if case.name in by_name:
                report(f"DISAGREE {case.name}: {by_name[case.name].error}")
                yield _minimize(case, by_name[case.name], client, folder)
        path.unlink()


def _minimize(case: Case, failure: Failure, client: Client, folder: Path) -> Finding:
    path = folder / "findings" / f"{case.name}.json"

    def still_fails(plan: Chain | StateCase) -> bool:
        try:
            write(path, {case.name: _render(plan)})
        except Undefined:
            return False
        found = client.statetests([path]) if isinstance(plan, StateCase) else client.blocktests([path])
        return any(one.kind == failure.kind for one in found)

    def run() -> Chain | StateCase:
        plan = _plan_of(case)
        if isinstance(plan, StateCase):
            return shrink(plan, CASE_PHASES, still_fails)
        return shrink(plan, CHAIN_PHASES, still_fails)

    write(path, {case.name: on_deep_stack(lambda: _render(run()))})
    return Finding(case, failure, path)


def _plan_of(case: Case) -> Chain | StateCase:
    if case.network:
        return random_chain(NETWORKS[case.network], case.seed)
    return random_state_case(case.seed)


def _render(plan: Chain | StateCase, *, whole_state: bool = True) -> Json:
    if isinstance(plan, StateCase):
        return statetest_json(build_state_case(plan), whole_state=whole_state)
    return blocktest_json(build_chain(plan), whole_state=whole_state)


def _batches(cases: Sequence[Case]) -> Iterable[Sequence[Case]]:
    for start in range(0, len(cases), BATCH):
        yield cases[start : start + BATCH]
