"""The second ECVRF, against which Rust's is checked on our curve, gives the vectors of RFC 9381 on the RFC's.

Rust's own run of these vectors is a test of its crate.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.primitives import plain_ecvrf
from tests.primitives.plain_ecvrf import P256

FOLDER = os.environ.get("CONFORMANCE_DIR")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CONFORMANCE_DIR is not set")


def cases() -> list[Any]:
    if FOLDER is None:
        return []
    vectors = json.loads((Path(FOLDER) / "vrf" / "rfc9381_ecvrf_appendixB.json").read_text())
    ours = [vector for vector in vectors if vector["suite"] == "ECVRF-P256-SHA256-TAI"]
    assert len(ours) == 3
    return [pytest.param(vector, id=f"example {vector['example']}") for vector in ours]


@pytest.mark.parametrize("vector", cases())
def test_the_vector_holds(vector: dict[str, Any]) -> None:
    key, alpha, proof, output = (bytes.fromhex(vector[name]) for name in ("PK", "alpha", "pi", "beta"))
    secret = int(vector["SK"], 16)
    point = plain_ecvrf.encode_to_curve(P256, key, alpha)
    assert plain_ecvrf.compress(point).hex() == vector["H"]
    assert plain_ecvrf.nonce(P256, secret, bytes.fromhex(vector["H"])) == int(vector["k"], 16)
    assert plain_ecvrf.public_key(P256, secret) == key
    assert plain_ecvrf.prove(P256, secret, alpha) == proof
    assert plain_ecvrf.verify(P256, key, alpha, proof) == output
