"""How long a file and a function may be: beyond that, two ideas live in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from tests.tidy.tree import SourceFile, python_files, rust_files

FILE_LINES_MAX = 400
"""Lines: what a reader keeps in mind; nine of ten files of the projects we admire stay below."""
FUNCTION_LINES_MAX = 70
"""Lines without the docstring: two screens; the 99th percentile of well-kept code lies here."""

_RUST_FUNCTION = re.compile(
    r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?:const|async|unsafe|extern\s+\"[^\"]*\")\s+)*fn\s+(?P<name>\w+)"
)
_RUST_NOISE = re.compile(r"//.*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])'")


def long_files(files: Iterable[SourceFile]) -> list[str]:
    """Sources above the limit of lines."""
    files = list(files)
    sources = [*python_files(files, "src", "tools"), *rust_files(files)]
    return [
        f"{file.path}: {len(file.lines)} lines, at most {FILE_LINES_MAX}; split it by idea"
        for file in sources
        if len(file.lines) > FILE_LINES_MAX
    ]


def long_functions(files: Iterable[SourceFile]) -> list[str]:
    """Functions above the limit of lines."""
    files = list(files)
    measured = [
        (file, name, line, lines)
        for file in python_files(files, "src", "tools")
        for name, line, lines in _python_functions(file)
    ] + [
        (file, name, line, lines) for file in rust_files(files) for name, line, lines in _rust_functions(file)
    ]
    return [
        f"{file.path}:{line}: `{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}; name its parts"
        for file, name, line, lines in measured
        if lines > FUNCTION_LINES_MAX
    ]


def _python_functions(file: SourceFile) -> Iterator[tuple[str, int, int]]:
    for node in ast.walk(file.python()):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node, clean=False) is not None:
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield node.name, node.lineno, lines


def _rust_functions(file: SourceFile) -> Iterator[tuple[str, int, int]]:
    """Finds where a function's braces close; strings, characters and comments do not count as braces."""
    bare = [_RUST_NOISE.sub("", line) for line in file.lines]
    for start, line in enumerate(file.lines):
        found = _RUST_FUNCTION.match(line)
        if found is None:
            continue
        depth, opened = 0, False
        for end in range(start, len(bare)):
            depth += bare[end].count("{") - bare[end].count("}")
            opened = opened or "{" in bare[end]
            if not opened and bare[end].rstrip().endswith(";"):
                break
            if opened and depth <= 0:
                yield found["name"], start + 1, end - start + 1
                break
