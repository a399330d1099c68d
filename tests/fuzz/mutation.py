"""Damage: what is done to valid bytes, RLP items and JSON values to make hostile ones of them.

Most of the original stays, so that what comes out passes the first checks and reaches the later ones.
"""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from coc.primitives import rlp
from coc.primitives.limits import RLP_DEPTH_LEVELS_MAX

EDGES: Final = tuple(
    edge + step for edge in (0, 2**31, 2**32, 2**53, 2**63, 2**64, 2**128, 2**256) for step in (-1, 0, 1)
)[1:]
"""Numbers beside which counters, sizes and conversions break; −1 is none of them."""

NUMBERS: Final = st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64))
BYTES_MAX: Final = 40


@st.composite
def torn(draw: st.DrawFn, originals: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of which some were flipped, cut out, put in or repeated."""
    data = bytearray(draw(originals))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 12)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at:end] = draw(st.binary(min_size=end - at, max_size=end - at))
            case 1:
                del data[at : draw(st.integers(at, len(data)))]
            case 2:
                data[at:at] = draw(st.binary(max_size=BYTES_MAX))
            case _:
                data[at:at] = data[at:end] * draw(st.integers(1, 40))
    return bytes(data)


def _short(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _nest(depth: int) -> rlp.Item:
    item: rlp.Item = b""
    for _ in range(depth):
        item = [item]
    return item


_ITEMS: st.SearchStrategy[rlp.Item] = st.one_of(
    NUMBERS.map(_short),
    st.binary(max_size=BYTES_MAX),
    st.sampled_from([b"", b"\0", b"\0" * 32, b"\xff" * 20, b"\xff" * 32, b"\xff" * 64, []]),
    st.lists(st.binary(max_size=32), max_size=4),
    st.integers(1, RLP_DEPTH_LEVELS_MAX // 2).map(_nest),
)


@st.composite
def reshaped(draw: st.DrawFn, originals: st.SearchStrategy[rlp.Item], changes: int = 3) -> rlp.Item:
    """An RLP item in which a few places, at any depth, hold something else."""
    item = draw(originals)
    for _ in range(draw(st.integers(1, changes))):
        item = _reshape(draw, item)
    return item


def _reshape(draw: st.DrawFn, item: rlp.Item) -> rlp.Item:
    if isinstance(item, bytes) or not item or draw(st.integers(0, 9)) == 0:
        fresh: rlp.Item = draw(_ITEMS)
        return fresh
    at = draw(st.integers(0, len(item) - 1))
    match draw(st.integers(0, 11)):
        case 0:
            return item[:at] + item[at + 1 :]
        case 1:
            return item[:at] + [item[at]] * draw(st.integers(2, 40)) + item[at + 1 :]
        case 2:
            return [*item[:at], draw(_ITEMS), *item[at:]]
        case _:
            return [*item[:at], _reshape(draw, item[at]), *item[at + 1 :]]


@st.composite
def misspelled(draw: st.DrawFn, originals: st.SearchStrategy[rlp.Item]) -> bytes:
    """Bytes that say what an item says, but for a few prefixes that lie or are not the shortest."""
    lies = draw(st.integers(1, 3))
    places = {draw(st.integers(0, 120)) for _ in range(lies)}
    return _misspell(draw, draw(originals), places, [0])


def _misspell(draw: st.DrawFn, item: rlp.Item, places: set[int], seen: list[int]) -> bytes:
    place = seen[0]
    seen[0] += 1
    if isinstance(item, bytes):
        payload, base = item, 0x80
    else:
        payload, base = b"".join(_misspell(draw, each, places, seen) for each in item), 0xC0
    if place not in places:
        return rlp.encode(item) if isinstance(item, bytes) else _prefixed(base, len(payload)) + payload
    match draw(st.integers(0, 4)):
        case 0:
            length = max(0, len(payload) + draw(st.integers(-70, 70)))
            return _prefixed(base, length) + payload
        case 1:
            size = draw(st.integers(1, 8))
            length = len(payload) & ((1 << 8 * size) - 1)
            return bytes((base + 55 + size,)) + length.to_bytes(size, "big") + payload
        case 2:
            return payload
        case 3:
            return _prefixed(0x140 - base, len(payload)) + payload
        case _:
            return _prefixed(base, (1 << draw(st.integers(6, 64))) - 1) + payload


def _prefixed(base: int, length: int) -> bytes:
    if length <= 55:
        return bytes((base + length,))
    size = _short(length)
    return bytes((base + 55 + len(size),)) + size


_TEXTS = st.one_of(
    NUMBERS.map(hex),
    NUMBERS.map(str),
    st.binary(max_size=BYTES_MAX).map(lambda data: "0x" + data.hex()),
    st.text(max_size=12),
    st.sampled_from(["", "0x", "0x0x1", "0x1_0", " 0x1", "-1", "1e3", "0X1", "0x" + "0" * 65, "٣"]),
)
JSON_LEAVES: Final[st.SearchStrategy[Any]] = st.one_of(
    _TEXTS, NUMBERS, st.sampled_from([None, True, False, 1.5, -1, [], {}, [[]], {"": None}])
)


@st.composite
def rewritten(draw: st.DrawFn, originals: st.SearchStrategy[Any], changes: int = 3) -> Any:
    """A JSON value in which a few members hold something else, are missing, or have another name."""
    value = draw(originals)
    for _ in range(draw(st.integers(1, changes))):
        value = _rewrite(draw, value)
    return value


def _rewrite(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 14)) == 0:
        return draw(JSON_LEAVES)
    if isinstance(value, list):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _rewrite(draw, value[at]), *value[at + 1 :]]
    name = draw(st.sampled_from(sorted(value)))
    match draw(st.integers(0, 9)):
        case 0:
            return {key: kept for key, kept in value.items() if key != name}
        case 1:
            return value | {draw(st.one_of(_TEXTS, st.sampled_from(sorted(value)))): value[name]}
        case _:
            return value | {name: _rewrite(draw, value[name])}
