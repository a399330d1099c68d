"""What validators sign, and the seal that one signature makes of a block.

Sign bytes are a fixed binary: domain tag ‖ genesis hash ‖ height ‖ round ‖ step ‖ block hash or zeros ‖
valid round, so that a signature speaks for one chain, one place and one value. The digest is their
keccak-256.
"""

from __future__ import annotations

import enum
from functools import lru_cache

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import recover_address
from coc.primitives.types import Address, Hash32, Height, Signature

SIGN_DOMAIN = b"COC/consensus/1\x00"
NO_VALID_ROUND = -1
ROUND_BITS = 64
DIGESTS_REMEMBERED = 64
"""Digests kept: all who vote for one value sign the same bytes, and a height has few values."""


class Step(enum.IntEnum):
    """What a signature is about."""

    PROPOSAL = 0
    PREVOTE = 1
    PRECOMMIT = 2


class SealInvalid(PrimitivesError):
    """Bytes that are no seal."""

    id = "COC-SEAL"


@frozen
class SignRequest:
    """The fields of a signature; `block` is None for a vote for nothing."""

    genesis_hash: Hash32
    height: Height
    round: int
    step: Step
    block: Hash32 | None
    valid_round: int = NO_VALID_ROUND

    def digest(self) -> Hash32:
        """keccak-256 of the sign bytes."""
        return _digest_of(self)


@lru_cache(maxsize=DIGESTS_REMEMBERED)
def _digest_of(request: SignRequest) -> Hash32:
    return keccak256(
        SIGN_DOMAIN
        + request.genesis_hash
        + request.height.to_bytes(8, "big")
        + request.round.to_bytes(8, "big")
        + bytes([request.step])
        + (request.block or bytes(32))
        + request.valid_round.to_bytes(8, "big", signed=True)
    )


@frozen
class Seal:
    """A rotation block's seal.

    Its slot and the proposer's signature. It lies beside the block and enters the next one's data.
    """

    slot: int
    signature: Signature

    def encode(self) -> bytes:
        """RLP of (slot, signature)."""
        return rlp.encode([self.slot, self.signature])

    def signer(self, genesis_hash: Hash32, height: Height, block: Hash32) -> Address:
        """The address whose key signed `block` at this slot.

        Raises:
            SignatureInvalid: no key could have made the signature.
        """
        request = SignRequest(genesis_hash, height, self.slot, Step.PROPOSAL, block)
        return recover_address(request.digest(), self.signature)


def decode_seal(data: bytes) -> Seal:
    """Read a seal back.

    Raises:
        SealInvalid: it has another shape.
    """
    match rlp.decode(data):
        case [bytes(slot), bytes(signature)] if len(signature) == 65:
            return Seal(rlp.uint(slot, bits=ROUND_BITS), Signature(signature))
    raise SealInvalid("a seal is a slot and a signature of 65 bytes")
