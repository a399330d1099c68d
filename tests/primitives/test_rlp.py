"""RLP: one encoding a value, every other spelling refused, work bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives import rlp
from coc.primitives.limits import RLP_BYTES_MAX, RLP_DEPTH_LEVELS_MAX

ITEMS = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5), max_leaves=30)


def nested(levels: int) -> bytes:
    encoded = b"\xc0"
    for _ in range(levels - 1):
        encoded = rlp._with_prefix(0xC0, encoded)
    return encoded


@given(ITEMS)
def test_what_was_encoded_decodes_to_itself(item: rlp.Item) -> None:
    assert rlp.decode(rlp.encode(item)) == item


@given(st.binary(max_size=64))
def test_bytes_that_decode_are_the_only_encoding_of_their_item(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except rlp.RlpInvalid:
        return
    assert rlp.encode(item) == data


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_an_integer_survives_the_round_trip(value: int) -> None:
    assert rlp.uint(rlp.decode(rlp.encode(value))) == value


@given(ITEMS, st.binary(max_size=20))
def test_the_length_of_an_item_is_known_from_its_first_nine_bytes(item: rlp.Item, tail: bytes) -> None:
    encoded = rlp.encode(item)
    assert rlp.encoded_length((encoded + tail)[:9]) == len(encoded)


@pytest.mark.parametrize("value", [-1, True, 1.5, "dog", None, [b"", -1]])
def test_a_value_without_an_encoding_is_refused(value: object) -> None:
    with pytest.raises(rlp.RlpInvalid):
        rlp.encode(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoded", "bits"),
    [
        (b"\x00", 256),
        (b"\x82\x00\x01", 256),
        (b"\xc0", 256),
        (b"\xa1" + b"\x01" * 33, 256),
        (b"\x89" + b"\x01" * 9, 64),
    ],
)
def test_an_integer_has_no_leading_zero_and_fits_its_bits(encoded: bytes, bits: int) -> None:
    with pytest.raises(rlp.RlpInvalid):
        rlp.uint(rlp.decode(encoded) if encoded != b"\x00" else b"\x00", bits=bits)


def test_nesting_is_allowed_up_to_the_limit_and_refused_beyond_it() -> None:
    deepest = nested(RLP_DEPTH_LEVELS_MAX)
    assert rlp.encode(rlp.decode(deepest)) == deepest
    with pytest.raises(rlp.RlpInvalid, match="nested too deeply"):
        rlp.decode(nested(RLP_DEPTH_LEVELS_MAX + 1))
    with pytest.raises(rlp.RlpInvalid, match="nested too deeply"):
        rlp.encode([rlp.decode(deepest)])


def test_an_item_longer_than_the_limit_is_refused_unread() -> None:
    assert rlp.decode(b"\x83dog", bytes_max=4) == b"dog"
    with pytest.raises(rlp.RlpInvalid, match="too long"):
        rlp.decode(b"\x83dog", bytes_max=3)
    with pytest.raises(rlp.RlpInvalid, match="too long"):
        rlp.decode(bytes(RLP_BYTES_MAX + 1))


def test_a_list_can_be_demanded() -> None:
    assert rlp.decode_list(b"\xc1\x05") == [b"\x05"]
    with pytest.raises(rlp.RlpInvalid, match="list was expected"):
        rlp.decode_list(b"\x05")
