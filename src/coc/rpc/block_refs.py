"""How a client names a block, and which hash that means now.

Everything below the RPC speaks of blocks by hash; here, once, a tag, a number, a hash or an EIP-1898 object
becomes one. `pending` names the head: its state is what a new transaction would meet, the pool's nonces
apart.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from coc.primitives.errors import quoted
from coc.primitives.frozen import frozen
from coc.primitives.types import format_data
from coc.rpc.errors import block_not_found, refused
from coc.rpc.parameters import (
    Kind,
    ParameterInvalid,
    decode_boolean,
    decode_hash32,
    decode_uint64,
    kind_of,
)
from coc.rpc.ports import Chain


class Tag(Enum):
    """The five names that move with the chain."""

    EARLIEST = "earliest"
    LATEST = "latest"
    PENDING = "pending"
    SAFE = "safe"
    FINALIZED = "finalized"


@frozen
class ByNumber:
    """The canonical block of that number."""

    number: int


@frozen
class ByHash:
    """The block of that hash; canonical if so required (EIP-1898)."""

    hash: bytes
    require_canonical: bool = False


BlockNumber: TypeAlias = Tag | ByNumber
BlockRef: TypeAlias = Tag | ByNumber | ByHash

_TAGS: Final = {tag.value: tag for tag in Tag}
_HASH_TEXT_CHARS: Final = 66
_OBJECT_KEYS: Final = frozenset({"blockNumber", "blockHash", "requireCanonical"})


def decode_block_number(value: object) -> BlockNumber:
    """A tag or a 64-bit quantity."""
    if isinstance(value, str):
        tag = _TAGS.get(value)
        if tag is not None:
            return tag
    return ByNumber(decode_uint64(value))


def decode_block_ref(value: object) -> BlockRef:
    """A tag, a quantity, a bare 32-byte hash, or an EIP-1898 object."""
    if isinstance(value, str):
        tag = _TAGS.get(value)
        if tag is not None:
            return tag
        if len(value) == _HASH_TEXT_CHARS:
            return ByHash(decode_hash32(value))
        return ByNumber(decode_uint64(value))
    if isinstance(value, dict):
        return _decode_object(value)
    raise ParameterInvalid(f"want a block number, tag, hash or object, got {kind_of(value)}")


def _decode_object(value: dict[str, object]) -> BlockRef:
    unknown = value.keys() - _OBJECT_KEYS
    if unknown:
        raise ParameterInvalid(f"unknown member {quoted(min(unknown))} in a block object (EIP-1898)")
    number, block = value.get("blockNumber"), value.get("blockHash")
    if (number is None) == (block is None):
        raise ParameterInvalid("a block object names either blockNumber or blockHash (EIP-1898)")
    if number is not None:
        if value.get("requireCanonical") is not None:
            raise ParameterInvalid("requireCanonical goes with blockHash only (EIP-1898)")
        return decode_block_number(number)
    canonical = value.get("requireCanonical")
    return ByHash(decode_hash32(block), canonical is not None and decode_boolean(canonical))


BLOCK_NUMBER: Final = Kind("block number or tag", decode_block_number)
BLOCK: Final = Kind("block number, tag, hash or object", decode_block_ref)


def find(chain: Chain, ref: BlockRef) -> bytes | None:
    """The hash of the block named, or None where there is none.

    Raises:
        CallError: -32000 when the block is known, must be canonical, and is not.
    """
    if isinstance(ref, Tag):
        return _tagged(chain, ref)
    if isinstance(ref, ByNumber):
        return chain.canonical_hash(ref.number)
    header = chain.header(ref.hash)
    if header is None:
        return None
    if ref.require_canonical and chain.canonical_hash(header.number) != ref.hash:
        raise refused(f"block {format_data(ref.hash)} is not canonical at the moment")
    return ref.hash


def resolve(chain: Chain, ref: BlockRef) -> bytes:
    """The hash of the block named.

    Raises:
        CallError: -32001 when there is none; -32000 as for `find`.
    """
    block = find(chain, ref)
    if block is None:
        raise block_not_found(describe(ref))
    return block


def number_of(chain: Chain, ref: BlockNumber) -> int:
    """The number that a tag or quantity means, whether or not the chain has come that far."""
    if isinstance(ref, ByNumber):
        return ref.number
    if ref is Tag.EARLIEST:
        return 0
    if ref is Tag.SAFE:
        return chain.safe.number
    return chain.finalized.number if ref is Tag.FINALIZED else chain.head.number


def describe(ref: BlockRef) -> str:
    """The reference in words, for an error."""
    if isinstance(ref, Tag):
        return ref.value
    return f"number {ref.number}" if isinstance(ref, ByNumber) else f"hash {format_data(ref.hash)}"


def _tagged(chain: Chain, tag: Tag) -> bytes | None:
    if tag is Tag.EARLIEST:
        return chain.canonical_hash(0)
    if tag is Tag.SAFE:
        return chain.safe.hash
    return chain.finalized.hash if tag is Tag.FINALIZED else chain.head.hash
