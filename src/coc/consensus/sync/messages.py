"""The payloads of block messages: RLP, strict, bounded by the wire's largest frame.

A block travels with its consensus data, which only its header's root binds; a decided one also with the
certificate that decided it. Signatures and roots are for whoever receives them.
"""

from __future__ import annotations

from collections.abc import Sequence

from coc.primitives import rlp
from coc.primitives.errors import ConsensusError
from coc.primitives.frozen import frozen
from coc.primitives.limits_consensus import BLOCK_REPLY_BLOCKS_MAX, BLOCK_REPLY_BYTES_MAX
from coc.primitives.types import Hash32, Height


class BlockMessageInvalid(ConsensusError):
    """Bytes of a peer that are no message about blocks: the peer's fault."""

    id = "COC-BLOCK-MESSAGE"


@frozen
class BlockBody:
    """A block's RLP and its consensus data."""

    block: bytes
    consensus_data: bytes


@frozen
class CertifiedBlock:
    """A decided block: its RLP, its consensus data and the certificate that decided it."""

    block: bytes
    consensus_data: bytes
    certificate: bytes


@frozen
class BlockRange:
    """A wish for decided blocks from a height on, as many as fit the bytes."""

    first: Height
    bytes_max: int


def encode_body(body: BlockBody) -> bytes:
    """RLP of (block, consensus data)."""
    return rlp.encode([body.block, body.consensus_data])


def decode_body(payload: bytes) -> BlockBody:
    """Read a block back.

    Raises:
        BlockMessageInvalid, RlpInvalid: it has another shape.
    """
    match rlp.decode(payload):
        case [bytes() as block, bytes() as consensus_data]:
            return BlockBody(block, consensus_data)
        case _:
            raise BlockMessageInvalid("a block comes with its consensus data and nothing else")


def decode_name(payload: bytes) -> Hash32:
    """Read the hash of a block that is asked for.

    Raises:
        BlockMessageInvalid: not 32 bytes.
    """
    if len(payload) != 32:
        raise BlockMessageInvalid("a block is named by 32 bytes", why=f"got {len(payload)}")
    return Hash32(payload)


def encode_range(wish: BlockRange) -> bytes:
    """RLP of (first height, bytes)."""
    return rlp.encode([wish.first, wish.bytes_max])


def decode_range(payload: bytes) -> BlockRange:
    """Read a wish for blocks back; more bytes than allowed are read as what is allowed.

    Raises:
        BlockMessageInvalid, RlpInvalid: it has another shape.
    """
    match rlp.decode(payload):
        case [bytes() as first, bytes() as bytes_max]:
            wanted = min(rlp.uint(bytes_max, bits=64), BLOCK_REPLY_BYTES_MAX)
            return BlockRange(Height(rlp.uint(first, bits=64)), wanted)
        case _:
            raise BlockMessageInvalid("a range of blocks is a height and a number of bytes")


def encode_blocks(blocks: Sequence[CertifiedBlock]) -> bytes:
    """RLP of a list of (block, consensus data, certificate)."""
    return rlp.encode([[each.block, each.consensus_data, each.certificate] for each in blocks])


def decode_blocks(payload: bytes) -> list[CertifiedBlock]:
    """Read certified blocks back.

    Raises:
        BlockMessageInvalid, RlpInvalid: another shape, or more blocks than one answer may have.
    """
    items = rlp.decode(payload)
    if not isinstance(items, list) or len(items) > BLOCK_REPLY_BLOCKS_MAX:
        raise BlockMessageInvalid(f"an answer has at most {BLOCK_REPLY_BLOCKS_MAX} blocks")
    return [_certified(item) for item in items]


def _certified(item: rlp.Item) -> CertifiedBlock:
    match item:
        case [bytes() as block, bytes() as consensus_data, bytes() as certificate]:
            return CertifiedBlock(block, consensus_data, certificate)
        case _:
            raise BlockMessageInvalid("a decided block is block, consensus data and certificate")
