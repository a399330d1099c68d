"""No module that nobody imports: code that the program cannot reach is a promise or a leftover."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from tests.tidy.purity import imports
from tests.tidy.tree import SourceFile, python_files

_ENTRY_POINT = re.compile(r"^\w[\w-]*\s*=\s*\"(coc(?:\.\w+)+):\w+\"$", re.MULTILINE)


def unreachable_modules(files: Iterable[SourceFile], pyproject: str) -> list[str]:
    """Modules of `coc` that neither an entry point nor another module of `coc` leads to.

    A dotted name in a string counts as an import: the command line loads its commands by name, to start fast.
    """
    sources = [file for file in python_files(files, "src/coc") if file.path.name != "__init__.py"]
    everything = list(python_files(files, "src/coc"))
    reached = set(_ENTRY_POINT.findall(pyproject))
    for file in everything:
        reached |= _names_in(file) - {file.module()}
    return [
        f"{file.path}: nothing in coc imports it; use it or remove it"
        for file in sources
        if file.module() not in reached and file.path.name != "__main__.py"
    ]


def _names_in(file: SourceFile) -> set[str]:
    found: set[str] = set()
    for name, imported, _ in imports(file):
        found.add(name)
        found |= {f"{name}.{part}" for part in imported}
    for node in ast.walk(file.python()):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("coc."):
            found.add(node.value.partition(":")[0])
    return found
