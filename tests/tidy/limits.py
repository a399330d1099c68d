"""Every limit says its unit and its reason, and has a test that runs into it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.tidy.tree import SAMPLES, SourceFile

FACTORS = frozenset({"KIB", "MIB", "GIB", "GWEI", "ETHER"})
"""Names that are units themselves."""

_UNITS = frozenset({"MS", "S", "NS", "GAS", "WEI", "PERCENT"})
"""Units that are no plural. Any other is a plural noun (BYTES, ROWS), which counts what it names."""

_BOUND = frozenset({"MAX", "MIN"})


@dataclass(frozen=True, slots=True)
class Limit:
    """One named constant of a limits module, with what stands around it."""

    file: SourceFile
    name: str
    line: int
    has_reason: bool

    @property
    def has_unit(self) -> bool:
        """Whether a word tells what is counted."""
        words = [word for word in self.name.split("_") if word not in _BOUND]
        return any(word in _UNITS or (len(word) > 2 and word.endswith("S")) for word in words)


def limits_without_unit(files: Iterable[SourceFile]) -> list[str]:
    """Limits whose name does not tell what is counted."""
    return [
        f"{limit.file.path}:{limit.line}: `{limit.name}` has no unit; end it in what it counts (_BYTES_MAX)"
        for limit in limits(files)
        if not limit.has_unit
    ]


def limits_without_reason(files: Iterable[SourceFile]) -> list[str]:
    """Limits that nobody explains: neither a comment above nor a string below."""
    return [
        f"{limit.file.path}:{limit.line}: `{limit.name}` has no reason; say why it is that much"
        for limit in limits(files)
        if not limit.has_reason
    ]


def limits_without_test(files: Iterable[SourceFile]) -> list[str]:
    """Limits that no test names."""
    files = list(files)
    tests = "\n".join(file.text for file in files if file.is_under("tests") and not file.is_under(*SAMPLES))
    named = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", tests))
    return [
        f"{limit.file.path}:{limit.line}: no test names `{limit.name}`; show what happens at it and above it"
        for limit in limits(files)
        if limit.name not in named
    ]


def limits(files: Iterable[SourceFile]) -> Iterator[Limit]:
    """The constants of `primitives/limits*.py`."""
    for file in files:
        if (
            file.is_under("src/coc/primitives")
            and file.path.name.startswith("limits")
            and file.path.suffix == ".py"
        ):
            yield from _limits_in(file)


def _limits_in(file: SourceFile) -> Iterator[Limit]:
    body = file.python().body
    for statement, following in zip(body, [*body[1:], None], strict=True):
        target = _target(statement)
        if target is None or not target.isupper() or target in FACTORS:
            continue
        above = file.lines[statement.lineno - 2].strip() if statement.lineno > 1 else ""
        explained = above.startswith("#") or _is_text(following) or "#" in file.lines[statement.lineno - 1]
        yield Limit(file, target, statement.lineno, explained)


def _target(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def _is_text(statement: ast.stmt | None) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
