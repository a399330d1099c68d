"""The validator set: who may propose, with which keys and how much power, and its canonical encoding.

An entry is (validator id, network key, consensus key, power, fee recipient). Keys are uncompressed
secp256k1 public keys without their prefix byte. The hash of a set covers all of it.
"""

from __future__ import annotations

from functools import lru_cache

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.types import Address, Hash32

PUBLIC_KEY_BYTES = 64
POWER_BITS = 64
SETS_KEPT = 16
"""Sets whose hash is remembered: it is asked for at every height, and sets change once a period."""


class ValidatorSetInvalid(PrimitivesError):
    """Bytes that are no validator set."""

    id = "COC-VALIDATOR-SET"


@frozen
class Validator:
    """One entry of a set. The id is the address of the consensus key."""

    id: Address
    network_key: bytes
    consensus_key: bytes
    power: int
    fee_recipient: Address


@frozen
class ValidatorSet:
    """The validators of one height, in the order that proposing follows."""

    validators: tuple[Validator, ...]

    def encode(self) -> list[rlp.Encodable]:
        """The set as an RLP value."""
        return [
            [entry.id, entry.network_key, entry.consensus_key, entry.power, entry.fee_recipient]
            for entry in self.validators
        ]

    def hash(self) -> Hash32:
        """keccak-256 of the encoding."""
        return _hash_of(self)


@lru_cache(maxsize=SETS_KEPT)
def _hash_of(validators: ValidatorSet) -> Hash32:
    return keccak256(rlp.encode(validators.encode()))


def address_of_key(public_key: bytes) -> Address:
    """The address of a 64-byte public key (yellow paper, appendix F)."""
    return Address(keccak256(public_key)[12:])


def decode_validator_set(item: rlp.Item) -> ValidatorSet:
    """Read a set back from its decoded RLP.

    Raises:
        ValidatorSetInvalid: it has another shape, or is empty.
    """
    if not isinstance(item, list) or not item:
        raise ValidatorSetInvalid("a validator set is a list of at least one entry")
    return ValidatorSet(tuple(_decode_validator(entry) for entry in item))


def _decode_validator(entry: rlp.Item) -> Validator:
    match entry:
        case [
            bytes() as id_,
            bytes() as network_key,
            bytes() as consensus_key,
            bytes() as power,
            bytes() as fee_recipient,
        ] if (
            len(id_) == len(fee_recipient) == 20
            and len(network_key) == len(consensus_key) == PUBLIC_KEY_BYTES
        ):
            weight = rlp.uint(power, bits=POWER_BITS)
            return Validator(Address(id_), network_key, consensus_key, weight, Address(fee_recipient))
        case _:
            what = "an entry of a validator set has five fields: id, two keys, power, fee recipient"
            raise ValidatorSetInvalid(what)
