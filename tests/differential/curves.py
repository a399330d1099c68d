"""Keys and curve points: the parts of a case that need elliptic-curve arithmetic.

Secrets are small integers derived from a label, so every fixture can be signed again. Signatures follow RFC
6979 and are therefore the same in every run.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from .blocks import keccak256

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_coincurve: Any = import_module("coincurve")


def secret_of(label: str) -> int:
    """The secret key that belongs to a label."""
    return int.from_bytes(keccak256(f"differential {label}".encode()), "big") % SECP256K1_ORDER


@cache
def address_of(secret: int) -> bytes:
    """Address of a secret key."""
    public = _coincurve.PrivateKey(secret.to_bytes(32, "big")).public_key.format(compressed=False)
    return keccak256(public[1:])[12:]


def sign(secret: int, digest: bytes) -> tuple[int, int, int]:
    """(y parity, r, s) over a digest; s in the lower half."""
    raw = _coincurve.PrivateKey(secret.to_bytes(32, "big")).sign_recoverable(digest, hasher=None)
    return raw[64], int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
