"""Verifiable random outputs on secp256k1: ECVRF of RFC 9381 with suite octet 0xFE.

A secret key has one output for an input (`alpha`) and no choice in it; the proof shows everyone who knows the
public key that it is the one. A proof is 81 bytes (gamma ‖ c ‖ s), an output 32, a public key 64 (x ‖ y).
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Final, NewType

from coc import _native
from coc.primitives.errors import PrimitivesError
from coc.primitives.secp256k1 import Secret
from coc.primitives.types import Hash32

VrfProof = NewType("VrfProof", bytes)
"""What shows an output to be the right one: 81 bytes, or whatever a peer sent in their place."""

VRF_PROOF_BYTES: Final = 81
PROOFS_REMEMBERED: Final = 16
"""Outputs kept: the block in the making is looked at when it comes, is executed, and is decided."""


class VrfInvalid(PrimitivesError):
    """A proof that does not show what it should, or bytes that are none."""

    id: ClassVar[str] = "COC-VRF"


def prove(secret: Secret, alpha: bytes) -> VrfProof:
    """Prove a secret's output for `alpha`; the same input always gives the same proof."""
    return VrfProof(_native.vrf_prove(secret, alpha))


@lru_cache(maxsize=PROOFS_REMEMBERED)
def verify(public_key: bytes, alpha: bytes, proof: VrfProof) -> Hash32:
    """The output for `alpha` under a 64-byte public key; the last few are remembered.

    Raises:
        VrfInvalid: the proof is another key's, another input's or no proof, or the key is no public key.
    """
    try:
        return Hash32(_native.vrf_verify(public_key, alpha, proof))
    except ValueError as error:
        raise VrfInvalid("not a proof of this input's random output", why=str(error)) from error


def output_of(proof: VrfProof) -> Hash32:
    """The output of a proof that was verified before.

    Raises:
        VrfInvalid: the bytes are no proof at all.
    """
    try:
        return Hash32(_native.vrf_output(proof))
    except ValueError as error:
        raise VrfInvalid("not a proof of a random output", why=str(error)) from error
