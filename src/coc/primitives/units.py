"""Amounts for people: ether, gwei and wei as exact decimal text, never through a float."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from coc.primitives.errors import PrimitivesError, quoted
from coc.primitives.types import UINT256_MAX, Wei

GWEI: Final = 10**9
ETHER: Final = 10**18

_DECIMALS: Final = {"wei": 0, "gwei": 9, "ether": 18}
_NAMES: Final = {"eth": "ether"}
_AMOUNT: Final = re.compile(r"([0-9]{1,78})(?:\.([0-9]{1,18}))? ?([a-z]*)", re.ASCII)


class AmountInvalid(PrimitivesError):
    """Text that is no amount."""

    id: ClassVar[str] = "COC-AMOUNT"


def parse_amount(text: str, default_unit: str = "wei") -> Wei:
    """Read `1.5 ether`, `30gwei` or a bare number of `default_unit`.

    Raises:
        AmountInvalid: another form or unit, more decimals than the unit has, or more than 2^256 - 1 wei.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise AmountInvalid(
            "not an amount", why=f"got {quoted(text)}", cure="write for example 1.5 ether, 30 gwei or 21000"
        )
    whole, fraction, unit = match[1], match[2] or "", match[3] or default_unit
    decimals = _DECIMALS.get(_NAMES.get(unit, unit))
    if decimals is None:
        raise AmountInvalid("unknown unit", why=f"got {quoted(unit)}", cure="use wei, gwei or ether")
    if len(fraction) > decimals:
        raise AmountInvalid(
            "more decimals than the unit has", why=f"{unit} has {decimals}, got {quoted(text)}"
        )
    value = int(whole + fraction.ljust(decimals, "0"))
    if value > UINT256_MAX:
        raise AmountInvalid("amount too large", why=f"got {quoted(text)}", cure="the most is 2^256 - 1 wei")
    return Wei(value)


def format_amount(amount: Wei, unit: str = "ether") -> str:
    """Write an amount exactly, without trailing zeros, followed by its unit."""
    decimals = _DECIMALS[unit]
    if not decimals:
        return f"{amount} {unit}"
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    sign = "-" if amount < 0 else ""
    fraction = digits[-decimals:].rstrip("0")
    return f"{sign}{digits[:-decimals]}{'.' + fraction if fraction else ''} {unit}"
