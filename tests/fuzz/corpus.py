"""What is damaged: the blocks, transactions and tests of `tests/vectors`, valid on every fork."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from coc.primitives import rlp

VECTORS: Final = Path(__file__).resolve().parent.parent / "vectors"


@cache
def blocktests() -> tuple[dict[str, Any], ...]:
    """One chain a network, cut to its first blocks, so that a case stays cheap."""
    paths = sorted((VECTORS / "blocktests").glob("*.json"))
    tests = [test for path in paths for test in json.loads(path.read_text(encoding="ascii")).values()]
    return tuple(test | {"blocks": test["blocks"][:8]} for test in tests)


@cache
def statetests() -> tuple[dict[str, Any], ...]:
    """State tests, one transaction each."""
    paths = sorted((VECTORS / "statetests").glob("*.json"))
    return tuple(test for path in paths[:4] for test in json.loads(path.read_text(encoding="ascii")).values())


def block_items(test: dict[str, Any]) -> list[rlp.Item]:
    """The blocks of a chain as RLP items, refused ones included where they decode."""
    items = []
    for block in test["blocks"]:
        try:
            items.append(rlp.decode(bytes.fromhex(block["rlp"].removeprefix("0x"))))
        except rlp.RlpInvalid:
            continue
    return items


@cache
def transactions() -> tuple[bytes, ...]:
    """Canonical encodings of transactions of every type."""
    found: dict[bytes, None] = {}
    for test in blocktests():
        for block in block_items(test):
            body = block[1] if len(block) > 1 else []
            for item in body if isinstance(body, list) else []:
                found[item if isinstance(item, bytes) else rlp.encode(item)] = None
    return tuple(raw for raw in found if raw)
