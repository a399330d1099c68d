"""The RLP vectors of ethereum/tests: valid ones both ways, invalid ones refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from coc.primitives import rlp

FOLDER = os.environ.get("CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CONFORMANCE_DIR is not set")
FILES = ("rlptest.json", "invalidRLPTest.json", "RandomRLPTests/example.json")


def cases() -> list[Any]:
    if FOLDER is None:
        return []
    root = Path(FOLDER) / "ethereum-tests" / "RLPTests"
    return [
        pytest.param(case, id=f"{name.removesuffix('.json')}::{title}")
        for name in FILES
        for title, case in json.loads((root / name).read_text()).items()
    ]


def value_of(described: Any) -> rlp.Encodable:
    """The vectors write big integers as `#123` and byte strings as text of Latin-1 characters."""
    if isinstance(described, list):
        return [value_of(item) for item in described]
    if isinstance(described, int):
        return described
    assert isinstance(described, str)
    return int(described[1:]) if described.startswith("#") else described.encode()


@pytest.mark.parametrize("case", cases())
def test_the_vector_holds(case: dict[str, Any]) -> None:
    encoded = bytes.fromhex(case["out"].removeprefix("0x"))
    if case["in"] == "INVALID":
        with pytest.raises(rlp.RlpInvalid):
            rlp.decode(encoded)
    elif case["in"] == "VALID":
        assert rlp.encode(rlp.decode(encoded)) == encoded
    else:
        value = value_of(case["in"])
        assert rlp.encode(value) == encoded
        assert rlp.encode(rlp.decode(encoded)) == encoded
