"""What decides may not touch the world: an allow-list of imports, and the door to the Rust core.

A list of forbidden modules has holes; a list of allowed ones has none. A module that is missing here and
only computes (no clock, disk, socket, thread, process, environment, dice, log) is added in one commit, with
its reason.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

from tests.tidy.tree import SourceFile, package_of, python_files

PURE_PACKAGES = frozenset(
    {"primitives", "contracts", "agent", "consensus", "execution", "pose", "rpc", "storage", "wire", "node"}
)
"""Lines 0 to 3 of the import table."""

# fmt: off
PURE_STANDARD_LIBRARY = frozenset({
    "__future__", "abc", "base64", "binascii", "bisect", "collections", "copy", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "ipaddress", "itertools", "json",
    "math", "operator", "re", "statistics", "string", "struct", "textwrap", "types", "typing", "unicodedata",
    "urllib.parse", "weakref", "zlib",
})
# fmt: on
"""Modules of the standard library that only compute (ruff finds `datetime.now`)."""

PURE_THIRD_PARTY = {
    "msgspec": "JSON bytes to typed structs and back",
    "cryptography": "AES for keystore v3: bytes in, bytes out",
}
"""Third-party packages that the pure packages may use, with the reason."""

FORBIDDEN_CALLS = frozenset({"open", "print", "input", "exec", "eval", "breakpoint", "__import__"})

NATIVE_USERS = frozenset({"primitives", "adapters", "sim"})
"""Packages that may import `coc._native`: the pure functions' face, and the two that own handles."""


def impure_imports(files: Iterable[SourceFile]) -> list[str]:
    """Imports in the pure packages that are not on the allow-lists."""
    return [
        f"{file.path}:{line}: {package_of(file)} imports `{name}`, which is not on the pure allow-list; "
        "declare a Protocol and let an adapter fill it"
        for file in _pure(files)
        for name, _, line in imports(file)
        if not name.startswith("coc.") and name != "coc" and not _is_pure(name)
    ]


def impure_calls(files: Iterable[SourceFile]) -> list[str]:
    """Calls of builtins that reach a file, a terminal or hidden code."""
    return [
        f"{file.path}:{node.lineno}: {package_of(file)} calls `{node.func.id}`; return an effect instead"
        for file in _pure(files)
        for node in ast.walk(file.python())
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS
    ]


def native_intruders(files: Iterable[SourceFile], handles: frozenset[str]) -> list[str]:
    """Imports of the Rust core by packages that must reach it through `primitives` or a Protocol."""
    found = []
    for file in python_files(files, "src/coc"):
        package = package_of(file)
        for name, imported, line in imports(file):
            if not _is_native(name, imported):
                continue
            if package not in NATIVE_USERS:
                found.append(
                    f"{file.path}:{line}: only {', '.join(sorted(NATIVE_USERS))} may import coc._native"
                )
            elif package == "primitives" and (taken := handles & imported):
                found.append(
                    f"{file.path}:{line}: {', '.join(sorted(taken))} owns something; adapters and sim open it"
                )
    return found


def handles_in(stub: str) -> frozenset[str]:
    """The classes of a stub that own something: those that can be opened or closed."""
    return frozenset(
        node.name
        for node in ast.parse(stub).body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(part, ast.FunctionDef) and part.name in {"open", "close"} for part in node.body)
    )


def imports(file: SourceFile) -> Iterator[tuple[str, frozenset[str], int]]:
    """Each import of a file: module, names taken, line; relative ones are made absolute."""
    for node in ast.walk(file.python()):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, frozenset(), node.lineno
        elif isinstance(node, ast.ImportFrom):
            parents = file.module().split(".")[: -node.level or None] if node.level else []
            name = ".".join([*parents, *([node.module] if node.module else [])])
            yield name, frozenset(alias.name for alias in node.names), node.lineno


def _is_native(name: str, imported: frozenset[str]) -> bool:
    return name.startswith("coc._native") or (name == "coc" and "_native" in imported)


def _pure(files: Iterable[SourceFile]) -> Iterator[SourceFile]:
    return (file for file in python_files(files, "src/coc") if package_of(file) in PURE_PACKAGES)


def _is_pure(name: str) -> bool:
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names:
        return name in PURE_STANDARD_LIBRARY or root in PURE_STANDARD_LIBRARY
    return root in PURE_THIRD_PARTY
