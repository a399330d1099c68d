"""Records and pieces: one way to cut a frame, and no memory for those who cut it otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives.limits_wire import (
    WIRE_FRAME_BYTES_MAX,
    WIRE_HANDSHAKE_MESSAGE_BYTES_MAX,
    WIRE_NOISE_MESSAGE_BYTES_MAX,
)
from coc.wire.errors import LocalError, RemoteError
from coc.wire.frames import Frame, encode_frame, encode_head
from coc.wire.kinds import BLOCK, CONSENSUS, GET_BLOCK, MessageClass
from coc.wire.noise import NOISE_TAG_BYTES
from coc.wire.pieces import (
    PIECE_BYTES_MAX,
    Assembly,
    RecordReader,
    encode_piece,
    encode_record,
)
from tests.wire.fakes import unhurried

BLOCKS = MessageClass.BLOCKS


def pieces_of(frame: bytes, message_class: MessageClass = BLOCKS) -> list[bytes]:
    return [
        encode_piece(
            message_class,
            frame[start : start + PIECE_BYTES_MAX],
            is_last=start + PIECE_BYTES_MAX >= len(frame),
        )
        for start in range(0, len(frame), PIECE_BYTES_MAX)
    ]


def test_a_record_has_room_for_the_longest_noise_message_and_no_more() -> None:
    longest = bytes(WIRE_NOISE_MESSAGE_BYTES_MAX)

    assert encode_record(longest) == b"\xff\xff" + longest
    with pytest.raises(LocalError):
        encode_record(longest + b"x")
    assert len(encode_piece(BLOCKS, bytes(PIECE_BYTES_MAX), is_last=False)) + NOISE_TAG_BYTES == len(longest)


@unhurried()
@given(st.lists(st.binary(min_size=16, max_size=200), max_size=6), st.integers(1, 64))
def test_records_come_out_alike_however_the_stream_is_cut(messages: list[bytes], step: int) -> None:
    reader = RecordReader()
    stream = b"".join(encode_record(message) for message in messages)
    read: list[bytes] = []
    for start in range(0, len(stream), step):
        reader.feed(stream[start : start + step])
        while (message := reader.next()) is not None:
            read.append(message)

    assert read == messages
    assert reader.held_bytes == 0


def test_a_stranger_cannot_announce_a_longer_record_than_a_handshake_needs() -> None:  # WIRE-2
    reader = RecordReader()
    reader.feed((WIRE_HANDSHAKE_MESSAGE_BYTES_MAX + 1).to_bytes(2, "big"))

    with pytest.raises(RemoteError, match="length that cannot be"):
        reader.next()


@pytest.mark.parametrize("length", [0, NOISE_TAG_BYTES - 1])
def test_a_record_too_short_to_be_sealed_is_refused(length: int) -> None:
    reader = RecordReader()
    reader.feed(length.to_bytes(2, "big"))

    with pytest.raises(RemoteError, match="length that cannot be"):
        reader.next()


def test_a_large_frame_comes_back_whole_from_full_pieces() -> None:  # WIRE-2
    payload = bytes(range(256)) * 1_000
    assembly = Assembly()
    taken = [assembly.take(0, piece) for piece in pieces_of(encode_frame(BLOCK.number, payload))]

    assert taken[:-1] == [None] * (len(taken) - 1)
    assert taken[-1] == Frame(BLOCK.number, payload)
    assert (assembly.held_bytes, assembly.since_ms()) == (0, None)


def test_classes_are_put_together_side_by_side() -> None:  # WIRE-3
    assembly = Assembly()
    large = pieces_of(encode_frame(BLOCK.number, bytes(100_000)))
    vote = pieces_of(encode_frame(CONSENSUS.number, b"vote"), MessageClass.CONSENSUS)

    assert assembly.take(5, large[0]) is None
    assert assembly.take(6, vote[0]) == Frame(CONSENSUS.number, b"vote")
    assert assembly.since_ms() == 5
    assert assembly.take(7, large[1]) == Frame(BLOCK.number, bytes(100_000))


@pytest.mark.parametrize(
    ("piece", "complaint"),
    [
        (b"", "without a head"),
        (b"\x07" + bytes(8), "unknown class"),
        (b"\x47" + bytes(8), "unknown class"),
        (b"\x82", "not full"),
        (encode_piece(BLOCKS, encode_frame(GET_BLOCK.number, b"a")[:5], is_last=False), "not full"),
        (encode_piece(BLOCKS, encode_frame(GET_BLOCK.number, b"a")[:5], is_last=True), "does not end"),
        (encode_piece(BLOCKS, encode_frame(GET_BLOCK.number, b"a") * 2, is_last=True), "does not end"),
        (encode_piece(BLOCKS, encode_frame(GET_BLOCK.number, b"a") + b"\xc0", is_last=True), "does not end"),
        (encode_piece(BLOCKS, encode_frame(CONSENSUS.number, b"a"), is_last=True), "unknown here"),
        (
            encode_piece(
                BLOCKS,
                encode_frame(GET_BLOCK.number, b"a") + encode_head(BLOCK.number, 70_000) + bytes(65_503),
                is_last=False,
            ),
            "before its last piece",
        ),
    ],
)
def test_a_piece_cut_otherwise_breaks_the_protocol(piece: bytes, complaint: str) -> None:  # WIRE-2
    with pytest.raises(RemoteError, match=complaint):
        Assembly().take(0, piece)


def test_what_a_peer_can_make_us_hold_is_a_frame_of_each_class_in_part() -> None:
    assembly = Assembly()
    frame = encode_frame(BLOCK.number, bytes(WIRE_FRAME_BYTES_MAX))
    for piece in pieces_of(frame)[:-1]:
        assembly.take(0, piece)

    assert assembly.held_bytes <= len(frame)
    with pytest.raises(RemoteError):
        assembly.take(0, encode_piece(BLOCKS, bytes(PIECE_BYTES_MAX), is_last=False))


@unhurried()
@given(st.binary(max_size=200))
def test_whatever_opens_is_a_piece_or_the_peers_fault(piece: bytes) -> None:
    assembly = Assembly()
    try:
        assembly.take(0, piece)
    except RemoteError:
        return
    assert assembly.held_bytes <= len(piece)
