"""Keys and signatures on secp256k1, as Ethereum uses them (SEC 2; RFC 6979 nonces; low s only).

A secret is 32 bytes, a public key 64 bytes (x ‖ y), a signature 65 bytes: r ‖ s ‖ parity of the nonce point's
y.
"""

from __future__ import annotations

from typing import ClassVar, Final, NewType

from coc import _native
from coc.primitives.errors import PrimitivesError
from coc.primitives.keccak import keccak256
from coc.primitives.types import Address, Hash32, Signature

Secret = NewType("Secret", bytes)
"""A private key that was checked: 32 bytes, from 1 to `ORDER` - 1."""

ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


class SecretInvalid(PrimitivesError):
    """Bytes that are no private key. The message never repeats them."""

    id: ClassVar[str] = "COC-SECRET"


class SignatureInvalid(PrimitivesError):
    """A signature that no key can have made over the digest."""

    id: ClassVar[str] = "COC-SIGNATURE"


def secret_of(raw: bytes) -> Secret:
    """Check the bytes of a private key.

    Raises:
        SecretInvalid: not 32 bytes, zero, or not below the order of the curve.
    """
    if len(raw) != 32:
        raise SecretInvalid("not a private key", why=f"it has {len(raw)} bytes where 32 are needed")
    if not 0 < int.from_bytes(raw, "big") < ORDER:
        raise SecretInvalid("not a private key", why="the number is zero or beyond the order of the curve")
    return Secret(raw)


def public_key_of(secret: Secret) -> bytes:
    """The 64-byte public key of a secret."""
    return _native.public_key_of(secret)


def compressed(public_key: bytes) -> bytes:
    """The 33-byte form of a 64-byte public key: parity of y, then x (SEC 1)."""
    return bytes((2 + (public_key[63] & 1),)) + public_key[:32]


def address_of(secret: Secret) -> Address:
    """The address of a secret's account."""
    return Address(_native.address_of(secret))


def sign(secret: Secret, digest: Hash32) -> Signature:
    """Sign a 32-byte digest; the same input always gives the same signature."""
    return Signature(_native.sign(secret, digest))


def recover_public_key(digest: Hash32, signature: Signature) -> bytes:
    """Whose 64-byte public key signed the digest.

    Raises:
        SignatureInvalid: malformed, or made by no key.
    """
    try:
        return _native.recover_public_key(digest, signature)
    except ValueError as error:
        raise SignatureInvalid("not a signature of this digest", why=str(error)) from error


def recover_address(digest: Hash32, signature: Signature) -> Address:
    """Whose account signed the digest.

    Raises:
        SignatureInvalid: malformed, or made by no key.
    """
    return Address(keccak256(recover_public_key(digest, signature))[12:])
