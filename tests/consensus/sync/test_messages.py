"""The payloads of block messages: one encoding each, bounded, and strict."""

from __future__ import annotations

import pytest

from coc.consensus.sync.messages import (
    BlockBody,
    BlockMessageInvalid,
    BlockRange,
    CertifiedBlock,
    decode_blocks,
    decode_body,
    decode_name,
    decode_range,
    encode_blocks,
    encode_body,
    encode_range,
)
from coc.primitives import rlp
from coc.primitives.errors import CocError
from coc.primitives.limits_consensus import BLOCK_REPLY_BLOCKS_MAX, BLOCK_REPLY_BYTES_MAX
from coc.primitives.types import Height

BODY = BlockBody(b"\xc3block", b"\xc4data")
CERTIFIED = CertifiedBlock(b"\xc3block", b"\xc4data", b"\xc1certificate")


def test_what_is_encoded_reads_back() -> None:
    assert decode_body(encode_body(BODY)) == BODY
    assert decode_range(encode_range(BlockRange(Height(7), 99))) == BlockRange(Height(7), 99)
    assert decode_blocks(encode_blocks([CERTIFIED] * 3)) == [CERTIFIED] * 3
    assert decode_blocks(encode_blocks([])) == []
    assert decode_name(b"n" * 32) == b"n" * 32


def test_nobody_is_given_more_bytes_than_one_answer_may_have() -> None:
    greedy = encode_range(BlockRange(Height(1), BLOCK_REPLY_BYTES_MAX * 100))
    assert decode_range(greedy).bytes_max == BLOCK_REPLY_BYTES_MAX


def test_an_answer_has_a_bounded_number_of_blocks() -> None:
    full = [CERTIFIED] * BLOCK_REPLY_BLOCKS_MAX
    assert len(decode_blocks(encode_blocks(full))) == BLOCK_REPLY_BLOCKS_MAX
    with pytest.raises(BlockMessageInvalid):
        decode_blocks(encode_blocks([*full, CERTIFIED]))


@pytest.mark.parametrize(
    ("decode", "payload"),
    [
        (decode_name, b"n" * 31),
        (decode_body, b""),
        (decode_body, rlp.encode([b"block"])),
        (decode_body, rlp.encode([b"block", []])),
        (decode_body, encode_body(BODY) + b"\0"),
        (decode_range, rlp.encode([1])),
        (decode_range, rlp.encode([[], 1])),
        (decode_range, rlp.encode([2**64, 1])),
        (decode_blocks, rlp.encode(b"blocks")),
        (decode_blocks, rlp.encode([[b"block", b"data"]])),
        (decode_blocks, rlp.encode([b"block"])),
    ],
)
def test_other_shapes_are_refused(decode: object, payload: bytes) -> None:
    with pytest.raises(CocError):
        decode(payload)  # type: ignore[operator]
