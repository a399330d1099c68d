"""Noise from the Rust core, keyed by a static key that lives as long as the process.

The static key names nobody: a hello ties it to the node's identity. So it is made anew with every start, and
there is no file to lose.
"""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from coc._native import NoiseHandshake
from coc.wire.noise import PROLOGUE, STATIC_KEY_BYTES


class NativeNoise:
    """Handshakes with one static key."""

    def __init__(self, static_secret: bytes) -> None:
        """Derive the public half."""
        self._secret = static_secret
        self.static_key = X25519PrivateKey.from_private_bytes(static_secret).public_key().public_bytes_raw()

    def begin(self, *, is_initiator: bool) -> NoiseHandshake:
        """A new handshake."""
        return NoiseHandshake.begin(is_initiator, self._secret, PROLOGUE, None)


def fresh_noise() -> NativeNoise:
    """A static key that nobody has had before."""
    return NativeNoise(secrets.token_bytes(STATIC_KEY_BYTES))
