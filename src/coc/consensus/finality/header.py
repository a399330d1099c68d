"""A block header as far as a finality proof reads it; its hash covers the rest."""

from __future__ import annotations

from typing import Final

from coc.consensus.finality.faults import ProofInvalid
from coc.primitives import rlp
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.limits_finality import FINALITY_HEADER_BYTES_MAX
from coc.primitives.types import Hash32, Height

_PARENT_HASH: Final = 0
_STATE_ROOT: Final = 3
_NUMBER: Final = 8
_GAS_LIMIT: Final = 9
_TIMESTAMP: Final = 11
_EXTRA_DATA: Final = 12
_CONSENSUS_ROOT: Final = 19
"""Ethereum's `parentBeaconBlockRoot`. Forks append fields, so there may be more behind it."""
_NUMBER_BITS: Final = 64


@frozen
class Header:
    """The fields, and the hash of all."""

    hash: Hash32
    parent_hash: Hash32
    state_root: Hash32
    height: Height
    gas_limit: int
    time_s: int
    extra_data: bytes
    consensus_root: Hash32


def decode_header(data: bytes) -> Header:
    """Read a header.

    Raises:
        ProofInvalid, RlpInvalid: another shape, or longer than `FINALITY_HEADER_BYTES_MAX`.
    """
    raw = [_bytes(field) for field in rlp.decode_list(data, bytes_max=FINALITY_HEADER_BYTES_MAX)]
    if len(raw) <= _CONSENSUS_ROOT:
        raise ProofInvalid("a header of our chains reaches to its consensus root", why=f"{len(raw)} fields")
    return Header(
        keccak256(data),
        _hash(raw[_PARENT_HASH]),
        _hash(raw[_STATE_ROOT]),
        Height(rlp.uint(raw[_NUMBER], bits=_NUMBER_BITS)),
        rlp.uint(raw[_GAS_LIMIT], bits=_NUMBER_BITS),
        rlp.uint(raw[_TIMESTAMP], bits=_NUMBER_BITS),
        raw[_EXTRA_DATA],
        _hash(raw[_CONSENSUS_ROOT]),
    )


def _bytes(field: rlp.Item) -> bytes:
    if not isinstance(field, bytes):
        raise ProofInvalid("a header has no lists in it")
    return field


def _hash(field: bytes) -> Hash32:
    if len(field) != 32:
        raise ProofInvalid("a hash in the header has 32 bytes", why=f"found {len(field)}")
    return Hash32(field)
