"""Amounts for people are exact, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives.types import UINT256_MAX, Wei
from coc.primitives.units import AmountInvalid, format_amount, parse_amount


@given(st.integers(0, UINT256_MAX).map(Wei), st.sampled_from(["wei", "gwei", "ether"]))
def test_an_amount_survives_text_and_back(amount: Wei, unit: str) -> None:
    assert parse_amount(format_amount(amount, unit)) == amount


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0", 0),
        ("21000", 21_000),
        ("1.5 ether", 15 * 10**17),
        ("30gwei", 30 * 10**9),
        ("0.000000001 eth", 10**9),
    ],
)
def test_an_amount_is_read_exactly(text: str, wei: int) -> None:
    assert parse_amount(text) == wei


@pytest.mark.parametrize(
    "text", ["", "-1", "1e18", "1_000", ".5 ether", "1. ether", "1.5", "1 btc", "0x10", " 1", "1" * 79]
)
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(AmountInvalid):
        parse_amount(text)


def test_more_than_a_word_holds_is_refused() -> None:
    assert parse_amount(str(UINT256_MAX)) == UINT256_MAX
    with pytest.raises(AmountInvalid, match="too large"):
        parse_amount(str(UINT256_MAX + 1))
    with pytest.raises(AmountInvalid, match="more decimals"):
        parse_amount("0.0000000001 gwei")


def test_whole_amounts_have_no_point_and_debts_a_sign() -> None:
    assert format_amount(Wei(10_000 * 10**18)) == "10000 ether"
    assert format_amount(Wei(-15 * 10**17)) == "-1.5 ether"
