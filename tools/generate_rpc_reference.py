"""Writes docs/reference/rpc.md: every JSON-RPC method, error code and limit, from the tables the node serves.

A test compares the file with what this module renders, so the page and the program cannot differ.
"""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

from coc.primitives import limits_rpc
from coc.rpc.errors import CATALOGUE
from coc.rpc.methods import Method
from coc.rpc.table import ADMINISTRATION, DEVELOPMENT, PUBLIC

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "reference" / "rpc.md"

_ONLY = {False: " Only on development chains.", True: " Only on the socket in the data folder."}
"""By whether a method that not every client is served is one for the operator."""

OPENING = """\
# JSON-RPC reference

<!-- Written by `make docs` from the method table; changes belong there. -->

JSON-RPC 2.0 over HTTP POST at `/`, single calls and batches, `Content-Type: application/json`. Parameters are
given by position and typed strictly: a quantity is `0x` and hex digits without a leading zero, data is `0x`
and an even number of hex digits, a number or a boolean is never taken for either. Optional parameters may be
left out or null. A block is named by number, tag (`latest`, `pending`, `safe`, `finalized`, `earliest`),
32-byte hash, or an [EIP-1898](https://eips.ethereum.org/EIPS/eip-1898) object.

The last column is what a call costs in units of the cheapest one, and where it runs: *inline* on the thread
that serves everyone, *pooled* on a thread of its own, *waiting* for the pool or the chain.
"""


def render() -> str:
    """The whole page."""
    parts = [OPENING]
    table = DEVELOPMENT | ADMINISTRATION
    for namespace in sorted({name.partition("_")[0] for name in table}):
        rows = [table[name] for name in sorted(table) if name.startswith(f"{namespace}_")]
        parts.append(f"## {namespace}\n\n" + "\n".join(_method_table(rows)) + "\n")
    codes = [f"| `{code}` | {meaning} |" for code, meaning in CATALOGUE]
    parts.append("## Errors\n\n" + "\n".join(["| code | meaning |", "|---|---|", *codes]) + "\n")
    limits = [f"| `{name}` | {value:,} | {reason} |" for name, value, reason in _limits()]
    parts.append(
        "## Limits\n\nA name ends in its unit; `coc_rpcLimits` answers with the same numbers.\n\n"
        + "\n".join(["| limit | value | what and why |", "|---|---|---|", *limits])
        + "\n"
    )
    return "\n".join(parts)


def _method_table(rows: list[Method]) -> list[str]:
    lines = ["| method | parameters | answer | what it does | cost |", "|---|---|---|---|---|"]
    for row in rows:
        parameters = "<br>".join(
            f"{parameter.name}: {parameter.kind.name}{'' if parameter.required else ' (optional)'}"
            for parameter in row.parameters
        )
        only = "" if row.name in PUBLIC else _ONLY[row.name in ADMINISTRATION]
        lines.append(
            f"| `{row.name}` | {parameters or '–'} | {_cell(row.returns)} | {_cell(row.doc)}{only} "
            f"| {row.cost}, {row.runs.value} |"
        )
    return lines


def _limits() -> list[tuple[str, float, str]]:
    """Name, value and the docstring below it, for every limit of the module."""
    source = Path(limits_rpc.__file__).read_text(encoding="utf-8")
    body = ast.parse(source).body
    found = []
    for statement, following in pairwise(body):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            name, reason = statement.target.id, " ".join(str(following.value.value).split())
            found.append((name, getattr(limits_rpc, name), _cell(reason)))
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(render(), encoding="utf-8")
