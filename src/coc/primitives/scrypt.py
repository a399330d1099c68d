"""scrypt (RFC 7914) for the parameters that key files have, not only those that OpenSSL takes.

The RFC asks that n is below 2^(16·r); wallets have written n 262144 with r 1. Such files go through our own
mixing core, all others through OpenSSL.
"""

from __future__ import annotations

import hashlib
from typing import Final

from coc import _native
from coc.primitives.limits import KEYSTORE_SCRYPT_MEMORY_BYTES_MAX

_BLOCK_BYTES: Final = 128


def scrypt(password: bytes, salt: bytes, cost: tuple[int, int, int], length: int) -> bytes:
    """Stretch a password to `length` bytes; `cost` is (n, r, p), checked by the caller.

    Takes 128·r·(n + p + 2) bytes of memory.
    """
    n, r, p = cost
    if n < 1 << 16 * r:
        most = KEYSTORE_SCRYPT_MEMORY_BYTES_MAX
        return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=most, dklen=length)
    size = _BLOCK_BYTES * r
    blocks = hashlib.pbkdf2_hmac("sha256", password, salt, 1, size * p)
    mixed = b"".join(_native.scrypt_mix(blocks[at : at + size], n) for at in range(0, size * p, size))
    return hashlib.pbkdf2_hmac("sha256", password, mixed, 1, length)
