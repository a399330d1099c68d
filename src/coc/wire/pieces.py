"""Records and pieces: how frames share one encrypted stream.

    stream = record*      record = length (2, big-endian) ‖ Noise message
    opened message = piece      piece = head (1) ‖ part of one frame
    head = last flag (80) | class id (0..6)

Every piece of a frame but the last is full (`PIECE_BYTES_MAX`), so a frame has one way to be cut, and a peer
cannot make us open thousands of messages for one frame.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.limits_wire import (
    WIRE_HANDSHAKE_MESSAGE_BYTES_MAX,
    WIRE_NOISE_MESSAGE_BYTES_MAX,
)
from coc.wire.errors import LocalError, RemoteError
from coc.wire.frames import Frame, FrameDecoder
from coc.wire.kinds import BYTES_MAX_BY_CLASS, MessageClass
from coc.wire.noise import NOISE_TAG_BYTES

RECORD_HEAD_BYTES: Final = 2
RECORD_BYTES_MAX: Final = RECORD_HEAD_BYTES + WIRE_NOISE_MESSAGE_BYTES_MAX
PIECE_HEAD_BYTES: Final = 1
PIECE_BYTES_MAX: Final = WIRE_NOISE_MESSAGE_BYTES_MAX - NOISE_TAG_BYTES - PIECE_HEAD_BYTES
"""Bytes of a frame in a full piece."""

_LAST: Final = 0x80
_CLASSES: Final = {int(message_class): message_class for message_class in MessageClass}


def encode_record(message: bytes) -> bytes:
    """A Noise message with its length in front.

    Raises:
        LocalError: it is longer than Noise allows.
    """
    if len(message) > WIRE_NOISE_MESSAGE_BYTES_MAX:
        raise LocalError("a Noise message too long", why=f"{len(message)} bytes")
    return len(message).to_bytes(RECORD_HEAD_BYTES, "big") + message


def encode_piece(message_class: MessageClass, part: bytes, *, is_last: bool) -> bytes:
    """A piece, ready to be sealed."""
    return bytes((message_class | (_LAST if is_last else 0),)) + part


class RecordReader:
    """Cuts a stream into records; holds less than two of the largest beside what was just fed."""

    __slots__ = ("_buffer", "_start", "bytes_max")

    def __init__(self) -> None:
        """Accept handshake messages; whoever finishes the handshake sets `bytes_max` higher."""
        self._buffer = bytearray()
        self._start = 0
        self.bytes_max = WIRE_HANDSHAKE_MESSAGE_BYTES_MAX

    @property
    def held_bytes(self) -> int:
        """What is kept of a record that is not complete."""
        return len(self._buffer) - self._start

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        del self._buffer[: self._start]
        self._start = 0
        self._buffer += data

    def next(self) -> bytes | None:
        """The next whole message, or None until more has come.

        Raises:
            RemoteError: a length above `bytes_max`, or one too small for any sealed message.
        """
        body = self._start + RECORD_HEAD_BYTES
        if len(self._buffer) < body:
            return None
        length = int.from_bytes(self._buffer[self._start : body], "big")
        if not NOISE_TAG_BYTES <= length <= self.bytes_max:
            raise RemoteError(
                "a record of a length that cannot be",
                why=f"{length} bytes where {NOISE_TAG_BYTES} to {self.bytes_max} are allowed",
            )
        if len(self._buffer) < body + length:
            return None
        self._start = body + length
        return bytes(self._buffer[body : self._start])


class Assembly:
    """Puts the pieces of each class together."""

    __slots__ = ("_decoders", "_since_ms")

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._decoders = {
            message_class: FrameDecoder(BYTES_MAX_BY_CLASS[message_class]) for message_class in MessageClass
        }
        self._since_ms: dict[MessageClass, int] = {}

    @property
    def held_bytes(self) -> int:
        """What is kept of frames that are not complete."""
        return sum(self._decoders[message_class].held_bytes for message_class in self._since_ms)

    def since_ms(self) -> int | None:
        """When the oldest of the unfinished frames began."""
        return min(self._since_ms.values(), default=None)

    def take(self, now_ms: int, piece: bytes) -> Frame | None:
        """Take one opened piece; the frame that it completes, if it does.

        Raises:
            RemoteError: an unknown class, a piece that is empty, not full or not cut where a frame ends, or
            what `FrameDecoder` refuses.
        """
        if not piece:
            raise RemoteError("a piece without a head")
        message_class = _CLASSES.get(piece[0] & ~_LAST)
        if message_class is None:
            raise RemoteError("a piece of an unknown class", why=f"head {piece[0]:#04x}")
        is_last = bool(piece[0] & _LAST)
        part = piece[PIECE_HEAD_BYTES:]
        if not part or (not is_last and len(part) != PIECE_BYTES_MAX):
            raise RemoteError("a piece that is not full", why=f"{len(part)} bytes, and others follow it")
        decoder = self._decoders[message_class]
        frames = decoder.feed(part)
        if is_last:
            if len(frames) != 1 or decoder.held_bytes:
                raise RemoteError("a last piece that does not end its frame", why=message_class.name)
            self._since_ms.pop(message_class, None)
            return frames[0]
        if frames:
            raise RemoteError("a frame that ends before its last piece", why=message_class.name)
        self._since_ms.setdefault(message_class, now_ms)
        return None
