"""Ids and numbers at the edge: strict in, plain out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives import errors, types


@given(st.binary(max_size=64))
def test_bytes_survive_text_and_back(data: bytes) -> None:
    assert types.parse_data(types.format_data(data)) == data


@given(st.integers(0, types.UINT256_MAX))
def test_numbers_survive_text_and_back(value: int) -> None:
    assert types.parse_quantity(types.format_quantity(value)) == value


@pytest.mark.parametrize(
    "text", ["", "0", "1f", "0x1", "0xg0", " 0x00", "0x00 ", "0X00", "0x0_0", "0x00\n", "0x٠٠"]
)
def test_text_that_is_not_exactly_hex_bytes_is_refused(text: str) -> None:
    with pytest.raises(errors.HexInvalid):
        types.parse_data(text)


@pytest.mark.parametrize(
    "text", ["", "0", "0x", "0x00", "0x01", "-0x1", "0x-1", "0x1 ", "0x1_0", "0X1", "0x" + "f" * 65]
)
def test_text_that_is_not_exactly_a_quantity_is_refused(text: str) -> None:
    with pytest.raises(errors.HexInvalid):
        types.parse_quantity(text)


def test_a_quantity_is_held_to_the_range_that_is_asked_for() -> None:
    assert types.parse_quantity("0xff", maximum=255) == 255
    with pytest.raises(errors.HexInvalid, match="too large"):
        types.parse_quantity("0x100", maximum=255)


@pytest.mark.parametrize(("parse", "length"), [(types.parse_address, 20), (types.parse_hash, 32)])
def test_an_id_has_exactly_its_length(parse: Callable[[str], bytes], length: int) -> None:
    assert parse("0x" + "Ab" * length) == b"\xab" * length
    for wrong in (length - 1, length + 1):
        with pytest.raises(errors.HexInvalid):
            parse("0x" + "ab" * wrong)


def test_a_negative_number_is_never_written_as_a_quantity() -> None:
    with pytest.raises(ValueError, match="never negative"):
        types.format_quantity(-1)


def test_an_error_says_what_why_cure_and_id_in_one_line() -> None:
    error = errors.AdapterError("the disk is full", why="0 bytes left", cure="free some space")
    assert str(error) == "the disk is full: 0 bytes left; free some space [COC-ADAPTER]"


def test_an_error_never_repeats_more_of_a_bad_input_than_the_bound() -> None:
    assert len(errors.quoted("x" * 10_000)) == errors.QUOTED_CHARS_MAX
    assert len(errors.quoted(["x" * 10_000])) == errors.QUOTED_CHARS_MAX
    assert errors.quoted("short") == "'short'"


def test_every_kind_of_error_has_an_id_of_its_own() -> None:
    def below(kind: type[errors.CocError]) -> list[type[errors.CocError]]:
        return [kind, *(deeper for child in kind.__subclasses__() for deeper in below(child))]

    kinds = below(errors.CocError)
    assert len({kind.id for kind in kinds}) == len(kinds)
    assert all(kind.id.startswith("COC-") for kind in kinds)
