"""Runs the test suites one after the other and ends with one line: `N passed, N failed`.

Each suite is a command and a way to count its outcome: cargo and the vector runner are read as they print,
pytest writes its report to a file. A suite that cannot start counts as one failure, so that the sum can never
look better than the run. Names given as arguments choose suites; without any, all run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "reports"
BIN = Path(sys.executable).parent
WORKERS = max(1, os.cpu_count() or 1)
"""Processes for suites that may run side by side."""

NETWORKS = 2
"""Networks of real nodes at once, on any machine: most of their time they wait for the next second."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many cases passed, failed and were skipped; outcomes add up."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        """The closing line: skipped cases are named only where there are some."""
        text = f"{self.passed} passed, {self.failed} failed"
        return f"{text}, {self.skipped} skipped" if self.skipped else text


@dataclass(frozen=True, slots=True)
class Suite:
    """A named command, how to count what it did, and what it needs to run at all."""

    name: str
    command: tuple[str, ...]
    count: Callable[[Suite, int, list[str]], Outcome]
    places: tuple[str, ...] = ()
    """Folders under test; where all are missing there is nothing to run."""
    variable: str = ""
    """An environment variable that names data which does not come with the project."""
    captured: bool = True
    """Whether the count is read from what the command prints."""

    def reason_to_skip(self, environment: Mapping[str, str]) -> str:
        """One sentence when the suite cannot run here, nothing otherwise."""
        if self.variable and not environment.get(self.variable):
            return f"{self.variable} is not set; it names a folder with test data written by others"
        if self.places and not any((ROOT / place).is_dir() for place in self.places):
            return f"there is no {' or '.join(self.places)}"
        return ""


def count_cargo(_suite: Suite, status: int, lines: list[str]) -> Outcome:
    """Adds up the `test result:` lines of cargo; a build that fails counts as one failure."""
    total = Outcome()
    for line in lines:
        found = re.match(r"test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored", line)
        if found:
            total += Outcome(*(int(number) for number in found.groups()))
    return _at_least_one_failure(total, status)


def count_mutants(suite: Suite, status: int, lines: list[str]) -> Outcome:
    """A case for each fault that a test caught; a run that hunted none has proved nothing."""
    return count_cargo(suite, status if any("catches" in line for line in lines) else 1, lines)


def count_command(_suite: Suite, status: int, _lines: list[str]) -> Outcome:
    """One case: the command says whether it holds."""
    return Outcome(passed=1) if status == 0 else Outcome(failed=1)


def count_forge(_suite: Suite, status: int, lines: list[str]) -> Outcome:
    """Reads forge's closing line; contracts that do not compile count as one failure."""
    total = Outcome()
    for line in lines:
        found = re.match(r"Ran \d+ test suites? .*: (\d+) tests passed, (\d+) failed, (\d+) skipped", line)
        if found:
            total += Outcome(*(int(number) for number in found.groups()))
    if total == Outcome():
        total = Outcome(failed=1)
    return _at_least_one_failure(total, status)


def count_vectors(_suite: Suite, status: int, lines: list[str]) -> Outcome:
    """Adds up the `passed/total` lines that `coc evm … --summary` prints."""
    total = Outcome()
    for line in lines:
        found = re.fullmatch(r"(\d+)/(\d+)", line.strip())
        if found:
            passed, cases = int(found[1]), int(found[2])
            total += Outcome(passed, cases - passed)
    if total == Outcome():
        total = Outcome(failed=1)
    return _at_least_one_failure(total, status)


def count_pytest(suite: Suite, status: int, _lines: list[str]) -> Outcome:
    """Reads pytest's report; errors in fixtures and in collection are failures."""
    report = _report_path(suite.name)
    if not report.is_file():
        return Outcome(failed=1)
    total = Outcome()
    for element in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 (we wrote the file)
        cases, skipped = int(element.get("tests", "0")), int(element.get("skipped", "0"))
        failed = int(element.get("failures", "0")) + int(element.get("errors", "0"))
        total += Outcome(max(0, cases - skipped - failed), failed, skipped)
    return _at_least_one_failure(total, status)


def _at_least_one_failure(outcome: Outcome, status: int) -> Outcome:
    """A command that ends with an error has failed, whatever it managed to count."""
    return outcome + Outcome(failed=1) if status != 0 and outcome.failed == 0 else outcome


def _report_path(name: str) -> Path:
    return REPORTS / f"{name}.xml"


def _pytest(name: str, *arguments: str, variable: str = "", places: tuple[str, ...]) -> Suite:
    command = (str(BIN / "pytest"), "-q", f"--junitxml={_report_path(name)}", *arguments, *places)
    return Suite(name, command, count_pytest, places, variable, captured=False)


def _vectors(kind: str) -> Suite:
    place = f"tests/vectors/{kind}s"
    command = (str(BIN / "coc"), "evm", kind, "--summary", "--jobs", str(WORKERS), place)
    return Suite(f"vectors-{kind}", command, count_vectors, (place,))


def hunting_grounds() -> tuple[str, ...]:
    """The test programs that plant faults in a crate: no other is built again for them."""
    found: set[str] = set()
    for target in ROOT.glob("crates/*/tests/*"):
        files = target.rglob("*.rs") if target.is_dir() else [target]
        if any(f'feature = "{PLANTED_FAULTS}"' in file.read_text(encoding="utf-8") for file in files):
            found.add(target.stem)
    return tuple(argument for name in sorted(found) for argument in ("--test", name))


APART = ("tests/conformance", "tests/e2e", "tests/differential", "tests/vectors")
"""Folders that the plain Python suite leaves to suites of their own."""

NETWORK = "tests/e2e/network"
"""Whole networks of real processes: counted, and run, apart from single nodes."""

PLANTED_FAULTS = "planted-faults"
"""The feature of crates under which a test chooses a fault to plant, and must catch it."""

CARGO_TEST = ("cargo", "test", "--workspace", "--exclude", "coc-native", "--locked", "--no-fail-fast")

FORGE_TEST = ("sh", "-c", "cd contracts && exec node_modules/.bin/forge test")
"""forge takes the paths of its configuration from the folder it is started in."""


def suites() -> tuple[Suite, ...]:
    """All suites of `make test`, the quickest to answer first."""
    apart = (argument for place in APART for argument in ("--ignore", place))
    return (
        _pytest("python", "-n", str(WORKERS), *apart, places=("tests",)),
        Suite("rust", CARGO_TEST, count_cargo),
        Suite(
            "mutants",
            (*CARGO_TEST, "--features", PLANTED_FAULTS, *hunting_grounds(), "catches"),
            count_mutants,
        ),
        _vectors("statetest"),
        _vectors("blocktest"),
        Suite(
            "contracts-artifacts", ("node", "contracts/build.mjs", "--check"), count_command, ("contracts",)
        ),
        Suite("contracts-forge", FORGE_TEST, count_forge, ("contracts",)),
        Suite(
            "conformance-statetest",
            (sys.executable, "tools/run_state_tests.py"),
            count_vectors,
            variable="CONFORMANCE_DIR",
        ),
        _pytest("conformance", "-n", str(WORKERS), places=("tests/conformance",), variable="CONFORMANCE_DIR"),
        _pytest("e2e", "--ignore", NETWORK, places=("tests/e2e",)),
        _pytest(
            "e2e-network",
            *("-n", str(NETWORKS), "--dist", "loadfile", "-m", "not alone"),
            places=(NETWORK,),
        ),
        _pytest("e2e-network-alone", "-m", "alone", places=(NETWORK,)),
    )


def _lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    """Passes on what a process prints, as it prints it."""
    if process.stdout is None:
        return
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        yield line


def run(suite: Suite) -> Outcome:
    """Runs one suite to its end and counts it; a command that cannot start is a failure."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    _report_path(suite.name).unlink(missing_ok=True)
    try:
        with subprocess.Popen(
            suite.command, cwd=ROOT, text=True, stdout=subprocess.PIPE if suite.captured else None
        ) as process:
            lines = list(_lines_of(process))
            status = process.wait()
    except OSError as problem:
        print(f"{suite.name}: cannot start {suite.command[0]}: {problem.strerror}. Run `make setup`.")
        return Outcome(failed=1)
    return suite.count(suite, status, lines)


def run_all(chosen: tuple[Suite, ...], environment: Mapping[str, str]) -> dict[str, Outcome]:
    """Runs suites in order, with a line before and after each, and returns the outcome of each that ran."""
    outcomes: dict[str, Outcome] = {}
    for position, suite in enumerate(chosen, start=1):
        reason = suite.reason_to_skip(environment)
        if reason:
            print(f"── {suite.name}: skipped: {reason}", flush=True)
            continue
        print(f"── {suite.name} ({position} of {len(chosen)})", flush=True)
        started = time.monotonic()
        outcomes[suite.name] = run(suite)
        print(f"── {suite.name}: {outcomes[suite.name]} in {time.monotonic() - started:.0f} s", flush=True)
    return outcomes


def main(arguments: list[str]) -> int:
    """Chooses the suites by name or by the part of the name before a dash, runs them, prints the sum."""
    known = suites()
    unknown = [name for name in arguments if not any(_is_named(suite, name) for suite in known)]
    if unknown:
        print(f"No suite named {unknown[0]!r}; there are: {', '.join(suite.name for suite in known)}.")
        return 2
    chosen = tuple(
        suite for suite in known if not arguments or any(_is_named(suite, name) for name in arguments)
    )
    total = sum(run_all(chosen, os.environ).values(), Outcome())
    print(total)
    return 1 if total.failed else 0


def _is_named(suite: Suite, name: str) -> bool:
    return name in (suite.name, suite.name.partition("-")[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
