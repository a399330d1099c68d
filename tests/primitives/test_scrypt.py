"""scrypt: the RFC's vectors, and equal answers of both ways to compute it."""

from __future__ import annotations

import hashlib

import pytest

from coc import _native
from coc.primitives.scrypt import scrypt


@pytest.mark.parametrize(
    ("password", "salt", "cost", "expected"),
    [
        (b"", b"", (16, 1, 1), "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"),
        (
            b"password",
            b"NaCl",
            (1024, 8, 16),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162",
        ),
    ],
)
def test_the_vectors_of_rfc_7914_hold(
    password: bytes, salt: bytes, cost: tuple[int, int, int], expected: str
) -> None:
    assert scrypt(password, salt, cost, 32).hex() == expected


@pytest.mark.parametrize("r", [1, 2, 8])
def test_our_mixing_core_agrees_with_openssl(r: int) -> None:
    block = hashlib.pbkdf2_hmac("sha256", b"pw", b"salt", 1, 128 * r)
    ours = hashlib.pbkdf2_hmac("sha256", b"pw", _native.scrypt_mix(block, 64), 1, 32)
    assert ours == hashlib.scrypt(b"pw", salt=b"salt", n=64, r=r, p=1, dklen=32)


@pytest.mark.parametrize(
    ("block", "n"), [(b"", 2), (bytes(64), 2), (bytes(128), 3), (bytes(128), 1), (bytes(128), 2**50)]
)
def test_blocks_and_costs_that_make_no_sense_are_refused(block: bytes, n: int) -> None:
    with pytest.raises(ValueError, match=r"block|power|memory"):
        _native.scrypt_mix(block, n)
