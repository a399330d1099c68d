"""Words that do not belong: empty module names, leftovers without an issue, traces of one machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from tests.tidy.tree import SAMPLES, SourceFile, python_files, rust_files

EMPTY_NAMES = frozenset({"util", "utils", "common", "helper", "helpers", "misc", "stuff"})
"""Names that say nothing about what is inside, and so attract everything."""

MACHINE_WORDS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.~}-])/(?:work|root|home/\w+)/(?!\.\.\.)",
        r"/tmp/(?:venv|task|brief)",
        r"\b(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com)\b",
        r"\b(?:static\.crates\.io|index\.crates\.io|proxy\.golang\.org)\b",
        r"(?i)\bagent session\b",
    )
)
"""Machine paths and registry hosts: a stranger has neither."""

REGISTRY_EXEMPT = frozenset({"Cargo.lock"})
"""Written by cargo, which always names its source."""

_LEFTOVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!.*#\d+)")


def empty_names(files: Iterable[SourceFile]) -> list[str]:
    """Files and folders whose name could hold anything."""
    return [
        f"{file.path}: `{part}` says nothing; name the idea"
        for file in files
        if file.path.suffix in {".py", ".rs", ".js", ".ts", ".sol", ".sh"}
        for part in (*file.path.parts[:-1], file.path.stem)
        if part.lower() in EMPTY_NAMES
    ]


def leftovers(files: Iterable[SourceFile]) -> list[str]:
    """Notes to oneself that no issue keeps."""
    return [
        f"{file.path}:{number}: a leftover without an issue number; write `TODO #7: …` or do it"
        for file in files
        if file.path.suffix in {".py", ".rs", ".sh", ".toml", ".js", ".ts", ".sol"} and not _is_sample(file)
        for number, line in enumerate(file.lines, start=1)
        if _LEFTOVER.search(line)
    ]


def machine_words(files: Iterable[SourceFile]) -> list[str]:
    """Paths of one machine and addresses of registries."""
    return [
        f"{file.path}:{number}: names a machine path or a registry: {found[0]!r}"
        for file in files
        if file.path.name not in REGISTRY_EXEMPT and not _is_sample(file)
        for number, line in enumerate(file.lines, start=1)
        for pattern in MACHINE_WORDS
        if (found := pattern.search(line))
    ]


def undocumented_modules(files: Iterable[SourceFile]) -> list[str]:
    """Modules that do not open with what they are for."""
    files = list(files)
    python = [file for file in python_files(files) if not ast.get_docstring(file.python())]
    rust = [file for file in rust_files(files) if not _opens_with_rust_docs(file)]
    return [
        f"{file.path}: no module docstring; say what it is for and how it works" for file in (*python, *rust)
    ]


def _opens_with_rust_docs(file: SourceFile) -> bool:
    """The first line that is not blank is `//!` with at least two words."""
    first = next((line.strip() for line in file.lines if line.strip()), "")
    return first.startswith("//!") and len(first.split()) > 2


def _is_sample(file: SourceFile) -> bool:
    return file.is_under(*SAMPLES)
