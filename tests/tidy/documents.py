"""What the documents say is there: links, files, make targets, decision records."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from posixpath import normpath

from tests.tidy.tree import SourceFile

_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)")
_NAMED_PATH = re.compile(r"`((?:src|crates|tests|tools|docs|bench|specs|requirements|\.ci)/[\w./-]*\w/?)`")
_MAKE = re.compile(r"(?:`|^\s*(?:\$ )?)(?:[A-Z_]+=\S+ )*make ([a-z][a-z0-9-]*)", re.MULTILINE)
_TARGET = re.compile(r"^([a-z][a-z0-9-]*):(?P<rest>.*)$", re.MULTILINE)
_RECORD = re.compile(r"docs/adr/(\d{4})-[a-z0-9-]+\.md")
PLANS = frozenset({"docs/roadmap.md"})
"""Documents that name what does not exist yet."""

RECORD_SECTIONS = ("## Context", "## Decision", "## Consequences", "## Rejected")


def broken_links(files: Iterable[SourceFile]) -> list[str]:
    """Relative links of Markdown files, and file names they quote, that lead nowhere."""
    files = list(files)
    known = _paths_of(files)
    found = []
    for file in _markdown(files):
        for number, line in enumerate(file.lines, start=1):
            links = [normpath(str(file.path.parent / target)) for target in _LINK.findall(line)]
            named = [normpath(target) for target in _NAMED_PATH.findall(line)]
            found += [
                f"{file.path}:{number}: there is no `{path}`"
                for path in (*links, *named)
                if path not in known
            ]
    return found


def unknown_targets(files: Iterable[SourceFile]) -> list[str]:
    """`make` targets that a document names and the Makefile does not have."""
    files = list(files)
    makefiles = [file for file in files if file.path.name == "Makefile"]
    targets = {found[1] for file in makefiles for found in _TARGET.finditer(file.text)}
    return [
        f"{file.path}: `make {target}` is not in the Makefile"
        for file in _markdown(files)
        for target in _MAKE.findall(file.text)
        if target not in targets
    ]


def unlisted_targets(makefile: SourceFile) -> list[str]:
    """Targets that `make` does not list because they say nothing; parts of `check` need not."""
    return [
        f"Makefile: `{found[1]}` has no `## ` text, so `make` cannot list it"
        for found in _TARGET.finditer(makefile.text)
        if "## " not in found["rest"] and not found[1].startswith("check-")
    ]


def disordered_records(files: Iterable[SourceFile]) -> list[str]:
    """Decision records out of number, without a section, or not in the index."""
    files = list(files)
    records = sorted(
        (
            file
            for file in files
            if _RECORD.fullmatch(str(file.path)) and not file.path.name.startswith("0000-")
        ),
        key=lambda file: file.path.name,
    )
    index = "".join(file.text for file in files if str(file.path) == "docs/adr/README.md")
    found = []
    for expected, file in enumerate(records, start=1):
        number = f"{expected:04d}"
        if not file.path.name.startswith(f"{number}-"):
            found.append(f"{file.path}: the next record is {number}; numbers have no gap and no double")
        if not file.text.startswith(f"# {file.path.name[:4]} · "):
            found.append(f"{file.path}: the first line is `# {file.path.name[:4]} · Title`")
        found += [
            f"{file.path}: no section `{part}`" for part in RECORD_SECTIONS if f"\n{part}" not in file.text
        ]
        if f"]({file.path.name})" not in index:
            found.append(f"{file.path}: docs/adr/README.md does not list it")
    return found


def _markdown(files: Iterable[SourceFile]) -> list[SourceFile]:
    return [file for file in files if file.path.suffix == ".md" and str(file.path) not in PLANS]


def _paths_of(files: Iterable[SourceFile]) -> frozenset[str]:
    paths = {file.path for file in files}
    folders = {parent for path in paths for parent in path.parents}
    return frozenset(str(path) for path in paths | folders | {PurePosixPath()})
