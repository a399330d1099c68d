"""Every numbered rule of `specs/` is cited by a test, so that no promise is only words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.tidy.tree import SAMPLES, SourceFile

_RULE = re.compile(r"^\*\*([A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d+)\*\*", re.MULTILINE)
"""A rule starts its paragraph with its number in bold: `**BFT-12** A validator …`."""


def untested_rules(files: Iterable[SourceFile]) -> list[str]:
    """Rules that neither a Python test nor a test of a crate cites."""
    files = list(files)
    tests = [file for file in files if "tests" in file.path.parts[:-1] and not file.is_under(*SAMPLES)]
    cited = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d+\b", "\n".join(file.text for file in tests)))
    return [
        f"{file.path}: no test cites {rule}"
        for file in files
        if file.is_under("specs") and file.path.suffix == ".md"
        for rule in _RULE.findall(file.text)
        if rule not in cited
    ]


def repeated_rules(files: Iterable[SourceFile]) -> list[str]:
    """Rule numbers given twice."""
    seen: set[str] = set()
    found = []
    for file in files:
        if file.is_under("specs") and file.path.suffix == ".md":
            for rule in _RULE.findall(file.text):
                if rule in seen:
                    found.append(f"{file.path}: {rule} is given twice; a number is never used again")
                seen.add(rule)
    return found
