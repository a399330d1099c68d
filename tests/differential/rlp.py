"""Recursive-length prefix encoding (Yellow Paper, appendix B), both ways, with no types but bytes and list.

The harness writes wrong blocks too, so it needs an encoder that asks nothing about meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Item: TypeAlias = "bytes | Sequence[Item]"

_SHORT = 56
"""Payloads shorter than this many bytes have a one-byte prefix."""


def quantity(number: int) -> bytes:
    """Big-endian bytes of a natural number without leading zeros; zero is empty."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode(item: Item) -> bytes:
    """Encode bytes or a nested sequence of bytes."""
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _prefix(len(item), 0x80) + item
    payload = b"".join(encode(part) for part in item)
    return _prefix(len(payload), 0xC0) + payload


def decode(raw: bytes) -> Item:
    """Decode one well-formed item; the harness only decodes what it encoded itself."""
    item, rest = _split(raw)
    assert not rest, "trailing bytes"
    return item


def _prefix(length: int, offset: int) -> bytes:
    if length < _SHORT:
        return bytes([offset + length])
    size = quantity(length)
    return bytes([offset + _SHORT - 1 + len(size)]) + size


def _split(raw: bytes) -> tuple[Item, bytes]:
    head = raw[0]
    if head < 0x80:
        return raw[:1], raw[1:]
    offset = 0x80 if head < 0xC0 else 0xC0
    length, start = head - offset, 1
    if length >= _SHORT:
        start = 1 + length - _SHORT + 1
        length = int.from_bytes(raw[1:start], "big")
    payload, rest = raw[start : start + length], raw[start + length :]
    if offset == 0x80:
        return payload, rest
    items: list[Item] = []
    while payload:
        item, payload = _split(payload)
        items.append(item)
    return items, rest
