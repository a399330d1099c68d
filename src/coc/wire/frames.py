"""Frames: the unit in which messages travel.

    magic C0 C1 (2) ‖ type (1) ‖ length (4, big-endian) ‖ payload of `length` bytes

The decoder takes bytes in whatever portions they come and holds at most one frame: type and length are judged
before a byte of the payload is kept. What a payload says is for the layer that owns its kind.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from coc.primitives.frozen import frozen
from coc.primitives.limits_wire import WIRE_FRAME_BYTES_MAX
from coc.wire.errors import LocalError, RemoteError

MAGIC: Final = b"\xc0\xc1"
HEAD_BYTES: Final = 7

_HEAD: Final = struct.Struct(">2sBI")


@frozen
class Frame:
    """A whole frame: the number of its kind, and its payload."""

    type: int
    payload: bytes


def encode_head(type_: int, length: int) -> bytes:
    """The seven bytes before a payload.

    Raises:
        LocalError: a type that is no byte, or a length above `WIRE_FRAME_BYTES_MAX`.
    """
    if not (0 <= type_ <= 0xFF and 0 <= length <= WIRE_FRAME_BYTES_MAX):
        raise LocalError(
            "this is no frame",
            why=f"type {type_}, {length} bytes where {WIRE_FRAME_BYTES_MAX} are allowed",
        )
    return _HEAD.pack(MAGIC, type_, length)


def encode_frame(type_: int, payload: bytes) -> bytes:
    """Head and payload in one.

    Raises:
        LocalError: as for `encode_head`.
    """
    return encode_head(type_, len(payload)) + payload


class FrameDecoder:
    """Cuts a stream of bytes into frames."""

    __slots__ = ("_bytes_max", "_head", "_length", "_payload", "_type")

    def __init__(self, bytes_max: Mapping[int, int]) -> None:
        """Accept the types in `bytes_max`, each with a payload of at most so many bytes."""
        self._bytes_max = bytes_max
        self._head = bytearray()
        self._payload = bytearray()
        self._type = 0
        self._length = 0

    @property
    def held_bytes(self) -> int:
        """What is kept of a frame that is not complete."""
        return len(self._head) + len(self._payload)

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that they complete.

        Raises:
            RemoteError: no magic, a type not accepted here, or a longer payload than its type may have.
        """
        frames: list[Frame] = []
        view = memoryview(data)
        place = 0
        while place < len(view):
            if len(self._head) < HEAD_BYTES:
                place = self._take_head(view, place)
                if len(self._head) < HEAD_BYTES:
                    break
            missing = self._length - len(self._payload)
            self._payload += view[place : place + missing]
            place += missing
            if len(self._payload) == self._length:
                frames.append(Frame(self._type, bytes(self._payload)))
                self._head.clear()
                self._payload = bytearray()
        return frames

    def _take_head(self, view: memoryview, place: int) -> int:
        """Take bytes of the head, judge it once it is complete, and return where the payload begins."""
        missing = HEAD_BYTES - len(self._head)
        self._head += view[place : place + missing]
        start = bytes(self._head[:2])
        if not MAGIC.startswith(start):
            raise RemoteError("not a frame", why=f"it begins with {start.hex()}")
        if len(self._head) == HEAD_BYTES:
            _, self._type, self._length = _HEAD.unpack(self._head)
            allowed = self._bytes_max.get(self._type)
            if allowed is None:
                raise RemoteError("a frame of a kind that is unknown here", why=f"type {self._type:#04x}")
            if self._length > allowed:
                raise RemoteError(
                    "a frame too long for its kind",
                    why=f"type {self._type:#04x}, {self._length} bytes where {allowed} are allowed",
                )
        return place + missing
