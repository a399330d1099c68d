"""The words every layer shares, and the only place where ids become text or text becomes ids.

Inside the program an address is 20 raw bytes, a hash 32 raw bytes and an amount a plain `int`; the names
below are `NewType`s, so the type checker tells a block hash from a state root's neighbour and a height from
an amount while the running program pays nothing. Text exists only at the edge (JSON, command line, files):
the `parse_…` functions read it strictly and the `format_…` functions write it. Strict means: `0x` is
required, digits are `0-9a-fA-F`, a quantity has no leading zero, and nothing is trimmed, guessed or padded.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from coc.primitives.errors import HexInvalid

Address = NewType("Address", bytes)
"""20 bytes: the last 20 of keccak256 of an uncompressed public key, or of a contract's creation preimage."""

Hash32 = NewType("Hash32", bytes)
"""32 bytes: a keccak256 digest that names a block, a transaction, a root or a piece of code."""

Signature = NewType("Signature", bytes)
"""65 bytes on secp256k1: r, s, and the parity byte 0 or 1."""

PeerId = NewType("PeerId", bytes)
"""32 bytes: keccak256 of a node's uncompressed network key, the identity that the wire proves."""

Wei = NewType("Wei", int)
"""An amount of the native coin in its smallest unit, 10^-18 ether."""

Gas = NewType("Gas", int)
"""A count of gas units."""

Height = NewType("Height", int)
"""A block's position in its chain; genesis is 0. Headers and RPC call it `number`."""

Nonce = NewType("Nonce", int)
"""How many transactions an account has sent; also the number a transaction carries."""

ChainId = NewType("ChainId", int)
"""The number that a signature is bound to (EIP-155)."""

Seconds = NewType("Seconds", int)
"""Whole seconds since 1970-01-01T00:00:00Z, as block timestamps count."""

Millis = NewType("Millis", int)
"""Milliseconds of whichever clock the composition root hands to a machine."""

ADDRESS_BYTES: Final = 20
HASH_BYTES: Final = 32
UINT64_MAX: Final = 2**64 - 1
UINT256_MAX: Final = 2**256 - 1

_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]*)", re.ASCII)
_UINT256_TEXT_CHARS: Final = 66


def parse_data(text: str) -> bytes:
    """Read `0x` and an even number of hex digits.

    Raises:
        HexInvalid: the text has another form.
    """
    if _DATA.fullmatch(text) is None:
        raise HexInvalid("not a byte string", text, "write 0x and an even number of hex digits")
    return bytes.fromhex(text[2:])


def parse_fixed(text: str, length: int) -> bytes:
    """Read `0x` and exactly `length` bytes in hex.

    Raises:
        HexInvalid: the text has another form or length.
    """
    if len(text) != 2 + 2 * length or _DATA.fullmatch(text) is None:
        raise HexInvalid(f"not {length} bytes", text, f"write 0x and exactly {2 * length} hex digits")
    return bytes.fromhex(text[2:])


def parse_address(text: str) -> Address:
    """Read an address. Any letter case is taken; checksums are for people (`checksum.py`).

    Raises:
        HexInvalid: the text is not `0x` and 40 hex digits.
    """
    return Address(parse_fixed(text, ADDRESS_BYTES))


def parse_hash(text: str) -> Hash32:
    """Read a 32-byte hash.

    Raises:
        HexInvalid: the text is not `0x` and 64 hex digits.
    """
    return Hash32(parse_fixed(text, HASH_BYTES))


def parse_quantity(text: str, maximum: int = UINT256_MAX) -> int:
    """Read a JSON-RPC quantity: `0x`, no leading zero, `0x0` for zero, at most `maximum`.

    Raises:
        HexInvalid: the text has another form, or the number is larger than `maximum`.
    """
    if len(text) > _UINT256_TEXT_CHARS or _QUANTITY.fullmatch(text) is None:
        raise HexInvalid(
            "not a quantity", text, "write 0x and hex digits without leading zeros, 0x0 for zero"
        )
    value = int(text, 16)
    if value > maximum:
        raise HexInvalid("quantity too large", text, f"the largest allowed here is {maximum:#x}")
    return value


def format_data(data: bytes) -> str:
    """Write bytes as `0x` and lower-case hex."""
    return "0x" + data.hex()


def format_quantity(value: int) -> str:
    """Write a non-negative integer as a JSON-RPC quantity."""
    if value < 0:
        raise ValueError(f"a quantity is never negative, got {value}")
    return hex(value)
