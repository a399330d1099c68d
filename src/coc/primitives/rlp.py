"""Recursive length prefix, strictly: one encoding for each value and no other accepted.

The format is appendix B of the yellow paper. An item is a byte string or a list of items; its first byte
tells which, and how long it is:

    00..7f  the byte itself            c0..f7  list with a payload of 0..55 bytes
    80..b7  string of 0..55 bytes      f8..ff  list, length in the next 1..8 bytes
    b8..bf  string, length in the next 1..8 bytes

Decoding refuses every second spelling (a single byte below 0x80 with a prefix, a long form where the short
one fits, a length with leading zeros), bytes left over and bytes missing. Depth and size are bounded, so
hostile input costs at most one pass over it.

The native core does what is canonical; the code here is for what is not, and says what is wrong with it. A
test holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from coc._native import rlp_decode, rlp_encode
from coc.primitives.errors import PrimitivesError
from coc.primitives.limits import RLP_BYTES_MAX, RLP_DEPTH_LEVELS_MAX

Item: TypeAlias = "bytes | list[Item]"
"""What decoding returns.

Patterns that take it apart say `bytes() as height`, not `bytes(height)`: for the second Python first looks
for `__match_args__`, which `bytes` has not, and that costs more than all the rest of reading a vote.
"""

Encodable: TypeAlias = "bytes | int | Sequence[Encodable]"
"""What encoding takes; an integer means its shortest big-endian bytes, zero the empty string."""

_SHORT_BYTES_MAX = 55


class RlpInvalid(PrimitivesError):
    """Bytes that are not the one canonical encoding of an item."""

    id: ClassVar[str] = "COC-RLP"


def encode(value: Encodable) -> bytes:
    """Encode bytes, a non-negative integer, or a list or tuple of such.

    Raises:
        RlpInvalid: a negative integer, a value of another type, or nesting deeper than
        `RLP_DEPTH_LEVELS_MAX`.
    """
    encoded = rlp_encode(value, RLP_DEPTH_LEVELS_MAX)
    return _encode(value, 0) if encoded is None else encoded


def decode(data: bytes, *, bytes_max: int = RLP_BYTES_MAX) -> Item:
    """Decode exactly one item that fills `data`.

    Raises:
        RlpInvalid: not canonical, cut short, followed by more bytes, too deep, or longer than `bytes_max`.
    """
    if len(data) > bytes_max:
        raise RlpInvalid("RLP too long", why=f"{len(data)} bytes where {bytes_max} are allowed")
    decoded = rlp_decode(data, RLP_DEPTH_LEVELS_MAX)
    if decoded is not None:
        return decoded
    item, end = _decode(data, 0, len(data), 0)
    if end != len(data):
        raise RlpInvalid(
            "bytes after the end of the RLP item", why=f"{len(data) - end} of {len(data)} are left"
        )
    return item


def decode_list(data: bytes, *, bytes_max: int = RLP_BYTES_MAX) -> list[Item]:
    """Decode exactly one list that fills `data`.

    Raises:
        RlpInvalid: as for `decode`, or the item is a byte string.
    """
    item = decode(data, bytes_max=bytes_max)
    if isinstance(item, bytes):
        raise RlpInvalid("a list was expected", why="the RLP item is a byte string")
    return item


def uint(item: Item, *, bits: int = 256) -> int:
    """Read an item as an unsigned integer of at most `bits` bits.

    Raises:
        RlpInvalid: a list, a leading zero byte, or too many bits.
    """
    if not isinstance(item, bytes):
        raise RlpInvalid("an integer was expected", why="the RLP item is a list")
    if item[:1] == b"\0":
        raise RlpInvalid("integer with a leading zero byte", why="the shortest form is the only one allowed")
    if len(item) * 8 > bits:
        raise RlpInvalid("integer too large", why=f"{len(item)} bytes where {bits} bits are allowed")
    return int.from_bytes(item, "big")


def encoded_length(head: bytes) -> int:
    """Total bytes, prefix included, of the item that begins with `head`; nine bytes of head always suffice.

    This is how a stream of items, such as an exported chain, is cut without decoding it.

    Raises:
        RlpInvalid: `head` is empty, ends inside the length, or has a length that is not canonical.
    """
    start, length, _ = _prefix(head, 0, None)
    return start + length


def _encode(value: Encodable, depth: int) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        return raw if len(raw) == 1 and raw[0] < 0x80 else _with_prefix(0x80, raw)
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise RlpInvalid("a negative integer has no RLP form", why=f"got {value}")
        return _encode(value.to_bytes((value.bit_length() + 7) // 8, "big"), depth)
    if isinstance(value, list | tuple):
        if depth >= RLP_DEPTH_LEVELS_MAX:
            raise RlpInvalid(
                "RLP nested too deeply", why=f"more than {RLP_DEPTH_LEVELS_MAX} lists in one another"
            )
        return _with_prefix(0xC0, b"".join([_encode(item, depth + 1) for item in value]))
    raise RlpInvalid("no RLP form", why=f"{type(value).__name__} is neither bytes, int, list nor tuple")


def _with_prefix(base: int, payload: bytes) -> bytes:
    length = len(payload)
    if length <= _SHORT_BYTES_MAX:
        return bytes((base + length,)) + payload
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((base + _SHORT_BYTES_MAX + len(size),)) + size + payload


def _decode(data: bytes, start: int, end: int, depth: int) -> tuple[Item, int]:
    """Decode the item at `start`, which must lie before `end`; return it and where it ends."""
    payload, length, is_list = _prefix(data, start, end)
    stop = payload + length
    if stop > end:
        raise RlpInvalid("RLP cut short", why=f"an item needs {stop - end} bytes more than there are")
    if not is_list:
        return data[payload:stop], stop
    if depth >= RLP_DEPTH_LEVELS_MAX:
        raise RlpInvalid(
            "RLP nested too deeply", why=f"more than {RLP_DEPTH_LEVELS_MAX} lists in one another"
        )
    items: list[Item] = []
    while payload < stop:
        item, payload = _decode(data, payload, stop, depth + 1)
        items.append(item)
    return items, stop


def _prefix(data: bytes, start: int, end: int | None) -> tuple[int, int, bool]:
    """Where the payload of the item at `start` begins, its length in bytes, and whether it is a list."""
    limit = len(data) if end is None else end
    if start >= limit:
        raise RlpInvalid("RLP cut short", why="an item was expected where the data ends")
    first = data[start]
    if first < 0x80:
        return start, 1, False
    is_list = first >= 0xC0
    short = first - (0xC0 if is_list else 0x80)
    if short <= _SHORT_BYTES_MAX:
        lone = not is_list and short == 1 and start + 1 < limit and data[start + 1] < 0x80
        if lone:
            raise RlpInvalid(
                "RLP not canonical", why="a single byte below 0x80 stands for itself, without prefix"
            )
        return start + 1, short, is_list
    size = short - _SHORT_BYTES_MAX
    payload = start + 1 + size
    if payload > limit:
        raise RlpInvalid("RLP cut short", why="the data ends inside a length")
    if data[start + 1] == 0:
        raise RlpInvalid("RLP not canonical", why="a length begins with a zero byte")
    length = int.from_bytes(data[start + 1 : payload], "big")
    if length <= _SHORT_BYTES_MAX:
        raise RlpInvalid("RLP not canonical", why=f"length {length} must use the short form")
    return payload, length, is_list
