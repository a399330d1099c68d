"""Reading single fields of a genesis file, with errors that name the field.

Numbers may stand as JSON integers, decimal text or `0x` text, as geth's own reader allows; everything else
has one form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from coc.primitives.errors import ExecutionError, quoted
from coc.primitives.strict_json import Json
from coc.primitives.types import ADDRESS_BYTES, UINT256_MAX, Address

_NUMBER: Final = re.compile(r"[0-9]{1,78}|0x[0-9a-fA-F]{0,64}", re.ASCII)
_HEX: Final = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})*)", re.ASCII)


class GenesisInvalid(ExecutionError):
    """A genesis file that describes no chain."""

    id: ClassVar[str] = "COC-GENESIS"


def field_error(place: str, why: str, cure: str = "") -> GenesisInvalid:
    """An error about one field."""
    return GenesisInvalid(f"the genesis field `{place}` cannot be used", why=f"it {why}", cure=cure)


def number_of(
    parent: Mapping[str, Json],
    name: str,
    maximum: int = UINT256_MAX,
    place: str = "",
    default: int | None = None,
) -> int:
    """A number of at most `maximum`; where it is absent, `default`.

    Raises:
        GenesisInvalid: absent without a default, no number, or too large.
    """
    where = f"{place}.{name}" if place else name
    value = parent.get(name)
    if value is None:
        if default is None:
            raise field_error(where, "is missing")
        return default
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        number = int(value[2:] or "0", 16) if value.startswith("0x") else int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise field_error(where, f"is {quoted(value)}", "write a number, decimal or 0x text")
    if not 0 <= number <= maximum:
        raise field_error(where, f"is {number}", f"the range is 0 to {maximum}")
    return number


def bytes_of(parent: Mapping[str, Json], name: str, place: str = "") -> bytes:
    """Bytes in hex, with or without `0x`; empty where the field is absent.

    Raises:
        GenesisInvalid: not hexadecimal text.
    """
    where = f"{place}.{name}" if place else name
    value = parent.get(name)
    if value is None:
        return b""
    match = _HEX.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise field_error(where, f"is {quoted(value)}", "write 0x and an even number of hex digits")
    return bytes.fromhex(match[1])


def address_of_text(text: str, place: str) -> Address:
    """An address in hex, with or without `0x`.

    Raises:
        GenesisInvalid: not 20 bytes of hex.
    """
    match = _HEX.fullmatch(text)
    if match is None or len(match[1]) != 2 * ADDRESS_BYTES:
        raise field_error(place, f"has {quoted(text)}, which is no address", "write 0x and 40 hex digits")
    return Address(bytes.fromhex(match[1]))


def object_of(parent: Mapping[str, Json], name: str, place: str = "") -> dict[str, Json]:
    """An object.

    Raises:
        GenesisInvalid: absent or something else.
    """
    where = f"{place}.{name}" if place else name
    value = parent.get(name)
    if not isinstance(value, dict):
        raise field_error(where, "is missing" if value is None else "is not an object")
    return value


def refuse_unknown(parent: Mapping[str, Json], known: frozenset[str], place: str) -> None:
    """Refuse members nobody reads: in a file that fixes a chain's rules they are mistakes.

    Raises:
        GenesisInvalid: naming the first unknown member.
    """
    for name in parent:
        if name not in known:
            where = f"{place}.{name}" if place else name
            raise field_error(where, "is unknown", "check its spelling, or remove it")
