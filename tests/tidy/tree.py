"""The project's own text files, read once: what every tidy rule looks at.

A rule is a function from `SourceFile`s to a list of findings. It is given the real tree by one test, which
expects no finding, and bad samples by others, which expect one: a rule that cannot fail is no rule.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT_SUFFIXES = frozenset(
    {
        "",
        ".py",
        ".pyi",
        ".rs",
        ".md",
        ".toml",
        ".txt",
        ".in",
        ".sh",
        ".yaml",
        ".yml",
        ".json",
        ".jsonl",
        ".js",
        ".ts",
        ".sol",
        ".svg",
    }
)
SAMPLES = ("tests/tidy/",)
"""The rules and their bad samples break the rules on purpose; those that search text leave them out."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One text file: its path from the root of the project, and what it says."""

    path: PurePosixPath
    text: str

    @classmethod
    def sample(cls, path: str, text: str) -> SourceFile:
        """A file that exists only in a test."""
        return cls(PurePosixPath(path), text)

    @property
    def lines(self) -> list[str]:
        """The text by lines, numbered from 0."""
        return self.text.splitlines()

    def is_under(self, *folders: str) -> bool:
        """Whether one of the folders (`src/coc`, `crates`) holds this file, at any depth."""
        return any(self.path.is_relative_to(folder) for folder in folders)

    def python(self) -> ast.Module:
        """The parsed module; raises SyntaxError, which fails the test with the place."""
        return ast.parse(self.text, str(self.path))

    def module(self) -> str:
        """The dotted name under which Python imports this file of `src`."""
        parts = self.path.relative_to("src").with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def expect_none(findings: list[str]) -> None:
    """Fails with one finding a line, and nothing else on the screen."""
    if findings:
        pytest.fail("\n".join(["the tidy rules found:", *findings]), pytrace=False)


def package_of(file: SourceFile) -> str:
    """The package of `coc` that holds a file: `primitives`, `adapters`, …; empty for `coc` itself."""
    parts = file.path.parts
    return parts[2] if len(parts) > 3 and parts[:2] == ("src", "coc") else ""


@cache
def real_tree() -> tuple[SourceFile, ...]:
    """Every text file that belongs to the project, in order of its path."""
    return tuple(
        _read(path) for path in sorted(_listed()) if path.suffix in TEXT_SUFFIXES and (ROOT / path).is_file()
    )


def python_files(files: Iterable[SourceFile], *folders: str) -> Iterator[SourceFile]:
    """The Python modules among the files, only those in the folders when some are named."""
    return (file for file in files if file.path.suffix == ".py" and (not folders or file.is_under(*folders)))


def rust_files(files: Iterable[SourceFile]) -> Iterator[SourceFile]:
    """The Rust sources of our crates."""
    return (file for file in files if file.path.suffix == ".rs" and file.is_under("crates"))


def _listed() -> list[PurePosixPath]:
    """What git tracks or would track; outside a checkout (a source archive), every file that is not built."""
    try:
        listing = subprocess.run(
            ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"),
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
        return [PurePosixPath(name) for name in set(listing) if name]
    except (OSError, subprocess.CalledProcessError):
        built = {"target", "build", "node_modules", "__pycache__"}
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return [
            PurePosixPath(path)
            for path in found
            if not any(part in built or part.startswith(".") for part in path.parts[:-1])
        ]


def _read(path: PurePosixPath) -> SourceFile:
    return SourceFile(path, (ROOT / path).read_text(encoding="utf-8", errors="replace"))
