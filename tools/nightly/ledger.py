"""The parts that have run, one JSON object a line in docs/nightly.jsonl.

A part counts for the sources it ran on, `src/` and `crates/`: a commit that changes neither does not undo
what was shown.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.run_tests import ROOT

LEDGER = ROOT / "docs" / "nightly.jsonl"
SOURCES = ("src", "crates")
_SHOWN_CHARACTERS = 12


class NotCommitted(Exception):
    """Files that a part would be counted for differ from the commit that it would name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A part that has run to its end."""

    campaign: str
    first: int
    count: int
    passed: int
    failed: int
    seconds: int
    date: str
    commit: str
    sources: str
    machine: str


def read(path: Path = LEDGER) -> list[Entry]:
    """All parts, in the order they ran."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [Entry(**json.loads(line)) for line in lines]


def append(entry: Entry, path: Path = LEDGER) -> None:
    """Note a part."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")


def done(entries: Iterable[Entry], campaign: str, sources: str) -> int:
    """Seeds, from 0 on without a gap, that have run on these sources."""
    reached = 0
    parts = (entry for entry in entries if entry.campaign == campaign and entry.sources == sources)
    for entry in sorted(parts, key=lambda entry: entry.first):
        if entry.first <= reached:
            reached = max(reached, entry.first + entry.count)
    return reached


def commit() -> str:
    """The commit that is checked out."""
    return _git("rev-parse", "HEAD")


def sources() -> str:
    """A name for what `src/` and `crates/` hold.

    Raises:
        NotCommitted: they hold something that the commit does not.
    """
    changed = _git("status", "--porcelain", "--", *SOURCES)
    if changed:
        raise NotCommitted(f"{' and '.join(SOURCES)} hold what no commit has; commit first:\n{changed}")
    trees = _git("rev-parse", *(f"HEAD:{folder}" for folder in SOURCES))
    return hashlib.sha256(trees.encode()).hexdigest()[:_SHOWN_CHARACTERS]


def machine() -> str:
    """The processor and how many of it: counts do not depend on them, times do."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").is_file() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", facts, re.MULTILINE)
    return f"{os.cpu_count()} × {model[1] if model else platform.machine()}, {platform.system()}"


def _git(*arguments: str) -> str:
    ran = subprocess.run(("git", *arguments), cwd=ROOT, check=True, capture_output=True, text=True)
    return ran.stdout.strip()
