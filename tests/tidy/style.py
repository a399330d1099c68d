"""How tests are written: no sleeping, no mocks of our own code, a sentence for a name."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tests.tidy.tree import SourceFile, python_files

NAME_WORDS_MIN = 3
"""Words after `test_`: fewer cannot say what must hold."""

REAL_PROCESSES = ("tests/e2e", "tests/differential")
"""Tests that start real processes must wait for them."""


def sleeping_tests(files: Iterable[SourceFile]) -> list[str]:
    """Calls of `sleep` in tests; `asyncio.sleep(0)` only gives way."""
    return [
        f"{file.path}:{node.lineno}: a test sleeps; give the machine its time as an argument"
        for file in _tests(files)
        if not file.is_under(*REAL_PROCESSES)
        for node in ast.walk(file.python())
        if isinstance(node, ast.Call) and _name(node.func) == "sleep" and not _is_zero(node)
    ]


def mocking_tests(files: Iterable[SourceFile]) -> list[str]:
    """Imports of mock libraries."""
    return [
        f"{file.path}:{node.lineno}: a test mocks; write a fake that fills the Protocol"
        for file in _tests(files)
        for node in ast.walk(file.python())
        if isinstance(node, ast.Import | ast.ImportFrom) and _imports_mock(node)
    ]


def wordless_tests(files: Iterable[SourceFile]) -> list[str]:
    """Tests whose name does not say what must hold."""
    return [
        f"{file.path}:{node.lineno}: `{node.name}` is no sentence; say what must hold"
        for file in _tests(files)
        for node in ast.walk(file.python())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name.split("_")) - 1 < NAME_WORDS_MIN
    ]


def _tests(files: Iterable[SourceFile]) -> Iterator[SourceFile]:
    return python_files(files, "tests")


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_zero(call: ast.Call) -> bool:
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def _imports_mock(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.Import):
        return any("mock" in alias.name.split(".") for alias in node.names)
    return "mock" in (node.module or "").split(".") or any(alias.name == "mock" for alias in node.names)
