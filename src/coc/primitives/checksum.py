"""Addresses for people: mixed-case checksums after EIP-55."""

from __future__ import annotations

from coc.primitives.errors import HexInvalid
from coc.primitives.keccak import keccak256
from coc.primitives.types import Address, parse_address


def format_checked(address: Address) -> str:
    """Write an address with its EIP-55 checksum in the case of its letters."""
    digits = address.hex()
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        char.upper() if nibble >= "8" else char for char, nibble in zip(digits, digest, strict=False)
    )


def parse_checked(text: str) -> Address:
    """Read an address that a person typed: all one case, or with a correct checksum.

    Raises:
        HexInvalid: another form, or mixed case that is not the checksum.
    """
    address = parse_address(text)
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != format_checked(address):
        raise HexInvalid(
            "wrong checksum of an address",
            text,
            f"a letter is mistyped, or you mean {format_checked(address)}",
        )
    return address
