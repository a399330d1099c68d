"""The long campaigns, and the page that records the last of them: docs/nightly.md.

Runs the suites of `make test` with more kills and seeds, then the differential run against the executable
specification. The page names commit, machine, seeds and counts, so that a claim can be repeated.
A run that failed, or that ran on files nobody committed, is recorded as such.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.run_tests import ROOT, Outcome, Suite, run_all, suites

PAGE = ROOT / "docs" / "nightly.md"

CAMPAIGNS = {
    "COC_CRASH_KILLS": "200",  # kills of a real node under load
    "COC_CRASH_RUNS": "200000",  # seeds of the block log on the faulty disk
    "COC_CRASH_SEEDS": "20000",  # seeds of the node files on the faulty disk
    "COC_NETWORK_KILLS": "200",  # kills of four validators together, under load
    "COC_DIFFERENTIAL_CHAINS": "50",  # random chains on each network
}
"""How much more than in `make test`; each can be set from outside."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a nightly run was: everything the page says."""

    commit: str
    date: str
    machine: str
    seconds: int
    settings: Mapping[str, str]
    outcomes: Mapping[str, Outcome]

    def render(self) -> str:
        """The page as Markdown."""
        total = sum(self.outcomes.values(), Outcome())
        settings = "\n".join(f"| `{name}` | {value} |" for name, value in self.settings.items())
        rows = "\n".join(
            f"| {name} | {outcome.passed} | {outcome.failed} | {outcome.skipped} |"
            for name, outcome in self.outcomes.items()
        )
        return (
            "# The last full nightly run\n\nWritten by `make nightly`.\n\n"
            f"* Result: **{total}**, in {self.seconds // 60} minutes\n"
            f"* Commit: `{self.commit}`\n* Date: {self.date}\n* Machine: {self.machine}\n\n"
            f"| setting | value |\n|---|---|\n{settings}\n\n"
            f"| suite | passed | failed | skipped |\n|---|---|---|---|\n{rows}\n"
        )


def count_differential(_suite: Suite, status: int, lines: list[str]) -> Outcome:
    """Reads `seed S: N cases, M disagreements`; a run that says nothing has failed."""
    for line in reversed(lines):
        found = re.fullmatch(r"seed \d+: (\d+) cases, (\d+) disagreements", line.strip())
        if found:
            cases, findings = int(found[1]), int(found[2])
            return Outcome(max(0, cases - findings), findings or int(status != 0))
    return Outcome(failed=1)


def differential(seed: int, chains: str) -> Suite:
    """The differential run, in the environment of the oracle."""
    python = str(ROOT / "build" / "oracle" / "bin" / "python")
    command = (python, "-m", "tests.differential", "--seed", str(seed), "--count", chains)
    return Suite("differential", command, count_differential)


def machine() -> str:
    """The processor and how many of it, as the figures depend on them."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").is_file() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", facts, re.MULTILINE)
    return f"{os.cpu_count()} × {model[1] if model else platform.machine()}, {platform.system()}"


def commit() -> str:
    """The commit that ran; says so when files differ from it."""
    return subprocess.run(
        ("git", "describe", "--always", "--abbrev=40", "--dirty=, with uncommitted changes"),
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def main() -> int:
    """Runs everything, writes the page, prints the sum."""
    started = time.monotonic()
    settings = {name: os.environ.get(name, value) for name, value in CAMPAIGNS.items()}
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    settings["SEED"] = str(seed)
    for name in ("COC_CRASH_SEED", "COC_NETWORK_SEED"):
        settings[name] = os.environ.get(name, str(seed))
    os.environ.update(settings)
    before = commit()
    chosen = (*suites(), differential(seed, settings["COC_DIFFERENTIAL_CHAINS"]))
    outcomes = run_all(chosen, os.environ)
    date = time.strftime("%Y-%m-%d", time.gmtime())
    seconds = int(time.monotonic() - started)
    PAGE.write_text(Report(before, date, machine(), seconds, settings, outcomes).render(), encoding="utf-8")
    total = sum(outcomes.values(), Outcome())
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
