"""keccak-256, the hash of everything in Ethereum (the original Keccak padding, not SHA-3's)."""

from __future__ import annotations

from coc import _native
from coc.primitives.types import Hash32


def keccak256(data: bytes) -> Hash32:
    """The 32-byte keccak-256 digest of `data`."""
    return Hash32(_native.keccak256(data))
