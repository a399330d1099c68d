"""Runs slither over the system contracts and compares what it finds with what contracts/SLITHER.md explains.

The sources are compiled by the pinned compiler, without the tests, into a folder that slither reads. Both
ways count: a finding that nobody explains fails the check, and so does an explanation of none.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
BUILT = ROOT / "build" / "contracts" / "slither"
REPORT = BUILT / "report.json"
SLITHER = ROOT / "build" / "slither" / "bin" / "slither"
FORGE = CONTRACTS / "node_modules" / ".bin" / "forge"

_ROW = re.compile(r"^\| `([a-z-]+)` \| `([\w.]+)` \| .+ \|$", re.MULTILINE)


def explained(document: str) -> set[tuple[str, str]]:
    """The detectors and places that a document's table explains."""
    return {(found[1], found[2]) for found in _ROW.finditer(document)}


def found_in(report: dict[str, Any]) -> set[tuple[str, str]]:
    """The detectors and places of slither's report; a place is a contract or a function of one."""
    return {(finding["check"], _place(finding["elements"][0])) for finding in report["results"]["detectors"]}


def _place(element: dict[str, Any]) -> str:
    parent = element.get("type_specific_fields", {}).get("parent", {})
    inside = f"{parent['name']}." if parent.get("type") == "contract" else ""
    return f"{inside}{element['name']}"


def differences(found: set[tuple[str, str]], known: set[tuple[str, str]]) -> list[str]:
    """What to say where the two are not the same."""
    return [
        *(
            f"{check} in {place}: explain it in contracts/SLITHER.md, or cure it"
            for check, place in found - known
        ),
        *(
            f"{check} in {place}: not found any more; take it out of contracts/SLITHER.md"
            for check, place in known - found
        ),
    ]


def run() -> dict[str, Any]:
    """Compiles the sources and lets slither read them: its report."""
    REPORT.unlink(missing_ok=True)
    environment = {**os.environ, "FOUNDRY_OUT": str(BUILT), "PATH": f"{FORGE.parent}:{os.environ['PATH']}"}
    compiling = (str(FORGE), "build", "--build-info", "--ast", "--force", "--no-cache", "src")
    compiled = subprocess.run(
        compiling, cwd=CONTRACTS, env=environment, capture_output=True, text=True, check=False
    )
    if compiled.returncode != 0:
        sys.exit(f"the contracts do not compile:\n{compiled.stderr}")
    reading = (str(SLITHER), ".", "--ignore-compile", "--filter-paths", "node_modules")
    places = ("--foundry-out-directory", os.path.relpath(BUILT, CONTRACTS), "--json", str(REPORT))
    read = subprocess.run(
        (*reading, *places), cwd=CONTRACTS, env=environment, capture_output=True, text=True, check=False
    )
    if not REPORT.is_file():
        sys.exit(f"slither gave no report:\n{read.stderr}")
    report: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8"))
    if not report["success"]:
        sys.exit(f"slither failed: {report['error']}")
    return report


def main() -> int:
    """Runs slither and prints what differs."""
    found = found_in(run())
    problems = differences(found, explained((CONTRACTS / "SLITHER.md").read_text(encoding="utf-8")))
    for problem in sorted(problems):
        print(problem)
    if not problems:
        print(f"slither: {len(found)} findings, each explained")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
