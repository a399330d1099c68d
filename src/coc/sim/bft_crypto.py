"""Signatures for simulated runs: a keyed hash with the signer's address, 50 times as fast as the real ones.

Nobody in a run can make another's signature, because liars only sign through their own `Key`.
"""

from __future__ import annotations

from hashlib import blake2b

from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import SignatureInvalid
from coc.primitives.types import Address, Hash32, Signature


@frozen
class Key:
    """A simulated consensus key."""

    address: Address

    def sign(self, digest: Hash32) -> Signature:
        """45 bytes of a hash over signer and digest, then the signer."""
        return Signature(_mark(digest, self.address) + self.address)


def verify(digest: Hash32, signature: Signature) -> Address:
    """Who signed.

    Raises:
        SignatureInvalid: nobody did.
    """
    signer = Address(signature[45:])
    if signature[:45] != _mark(digest, signer):
        raise SignatureInvalid("not a signature of this digest")
    return signer


def verify_quietly(digest: Hash32, signature: Signature) -> Address | None:
    """Who signed, None if nobody did."""
    try:
        return verify(digest, signature)
    except SignatureInvalid:
        return None


def _mark(digest: Hash32, signer: Address) -> bytes:
    return blake2b(digest + signer, digest_size=45).digest()
