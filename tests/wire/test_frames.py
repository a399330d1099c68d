"""Frames are cut alike however their bytes arrive, and judged before they are kept."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives.limits_wire import WIRE_FRAME_BYTES_MAX
from coc.wire.errors import LocalError, RemoteError
from coc.wire.frames import HEAD_BYTES, Frame, FrameDecoder, encode_frame, encode_head
from tests.wire.fakes import unhurried

SIZES = {0x10: 100, 0x20: 1_000, 0x22: WIRE_FRAME_BYTES_MAX}


def test_a_frame_is_magic_type_length_and_payload() -> None:  # WIRE-1
    assert encode_frame(0x10, b"abc") == b"\xc0\xc1\x10\x00\x00\x00\x03abc"


def test_an_empty_payload_is_a_frame_too() -> None:
    assert FrameDecoder(SIZES).feed(encode_frame(0x10, b"")) == [Frame(0x10, b"")]


@unhurried()
@given(
    st.lists(st.tuples(st.sampled_from((0x10, 0x20)), st.binary(max_size=100)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_frames_come_out_alike_however_the_stream_is_cut(
    messages: list[tuple[int, bytes]], dice: random.Random
) -> None:
    stream = b"".join(encode_frame(type_, payload) for type_, payload in messages)
    decoder = FrameDecoder(SIZES)
    frames: list[Frame] = []
    while stream:
        size = dice.randint(1, 12)
        frames += decoder.feed(stream[:size])
        stream = stream[size:]

    assert frames == [Frame(type_, payload) for type_, payload in messages]
    assert decoder.held_bytes == 0


@pytest.mark.parametrize("start", [b"\xc1", b"\xc0\xc0", b"GET / HTTP/1.1", b"\x16\x03\x01"])
def test_a_stream_without_magic_is_refused_at_its_first_wrong_byte(start: bytes) -> None:
    with pytest.raises(RemoteError, match="not a frame"):
        FrameDecoder(SIZES).feed(start)


def test_a_type_that_is_not_accepted_is_refused_with_the_head() -> None:  # WIRE-1
    with pytest.raises(RemoteError, match="unknown here"):
        FrameDecoder(SIZES).feed(encode_head(0x77, 0))


@pytest.mark.parametrize(("type_", "most"), SIZES.items())
def test_a_payload_above_its_kinds_limit_is_refused_with_the_head(type_: int, most: int) -> None:  # WIRE-1
    assert FrameDecoder(SIZES).feed(encode_head(type_, most)) == []
    with pytest.raises(RemoteError, match="too long"):
        FrameDecoder(SIZES).feed(encode_head(type_, most)[:3] + (most + 1).to_bytes(4, "big"))


def test_a_promised_length_takes_no_memory_before_its_bytes_come() -> None:
    tracemalloc.start()
    decoders = [FrameDecoder(SIZES) for _ in range(64)]
    for decoder in decoders:
        decoder.feed(encode_head(0x22, WIRE_FRAME_BYTES_MAX) + b"x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000
    assert all(decoder.held_bytes == HEAD_BYTES + 1 for decoder in decoders)


def test_we_cannot_make_a_frame_that_nobody_would_read() -> None:  # WIRE-18
    with pytest.raises(LocalError):
        encode_head(0x22, WIRE_FRAME_BYTES_MAX + 1)
    with pytest.raises(LocalError):
        encode_head(0x100, 0)


@unhurried()
@given(st.binary(max_size=300))
def test_whatever_comes_is_frames_or_the_peers_fault(data: bytes) -> None:
    decoder = FrameDecoder(SIZES)
    try:
        decoder.feed(data)
    except RemoteError:
        return
    assert decoder.held_bytes <= len(data)
