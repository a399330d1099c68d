"""Why a client refuses: its reasons beside the expected ones, for every refused block of some files.

A block refused for the wrong reason may hide a check that is missing. ``coc evm blocktest`` says only whether
a test passed; therefore each refused block is presented once as if it were valid, and the complaint is read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from .client import Client
from .fixtures import Json, write

_REASON = re.compile(r"was refused: ([A-Z0-9_]+):")


def reasons(paths: Sequence[Path], client: Client, folder: Path) -> Counter[tuple[str, str, str]]:
    """How often (expected name, the client's name, the block's fault) came together."""
    path = folder / "reasons.json"
    tests, expected = {}, {}
    for name, test, block in _refused_blocks(paths):
        tests[name] = test
        note: str = block.get("_note", "")
        expected[name] = (block["expectException"].partition(".")[2], note.partition(";")[0])
    write(path, tests)
    failures = {failure.name: failure.error for failure in client.blocktests([path])}
    path.unlink()
    table: Counter[tuple[str, str, str]] = Counter()
    for name, (wanted, fault) in expected.items():
        table[wanted, _reason_in(failures.get(name, "accepted")), fault] += 1
    return table


def _reason_in(complaint: str) -> str:
    if complaint.endswith("is not known"):
        return "UNKNOWN_PARENT"
    found = _REASON.search(complaint)
    return found[1] if found else complaint


def _refused_blocks(paths: Sequence[Path]) -> Iterator[tuple[str, Json, Json]]:
    """(a name, the test up to one refused block, that block)."""
    for path in paths:
        for name, test in json.loads(path.read_text(encoding="ascii")).items():
            valid: list[Json] = []
            for position, block in enumerate(test["blocks"]):
                if "expectException" not in block:
                    valid.append(block)
                    continue
                presented = {"rlp": block["rlp"], "blockHeader": {}}
                yield f"{name} block {position}", test | {"blocks": [*valid, presented]}, block
