"""Reading why a call reverted.

Solidity's two built-in errors are read: `Error(string)` (selector 08c379a0) and `Panic(uint256)` (4e487b71),
with the meanings that Solidity's documentation gives its panic codes. Revert data comes from contracts, so
every offset and length in it is distrusted; what cannot be read is passed on as data only.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.types import format_data
from coc.rpc.errors import EXECUTION_REVERTED, CallError, refused

_ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")
_PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")
_WORD_BYTES: Final = 32
_REVERTED: Final = "execution reverted"

_PANICS: Final[dict[int, str]] = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}


def reverted(data: bytes) -> CallError:
    """Error 3 with the revert data, and the reason in words where it is one of Solidity's own."""
    reason = revert_reason(data)
    message = f"{_REVERTED}: {reason}" if reason else _REVERTED
    return CallError(EXECUTION_REVERTED, message, format_data(data))


def call_failure(sentence: str, data: bytes) -> CallError:
    """A failed estimate: error 3 when code reverted, -32000 when it halted for another reason."""
    if data or sentence.startswith(_REVERTED):
        return reverted(data)
    return refused(sentence or "execution failed")


def revert_reason(data: bytes) -> str | None:
    """The reason inside revert data, or None where the data is something else."""
    selector, body = data[:4], data[4:]
    if selector == _ERROR_SELECTOR:
        return _string(body)
    if selector == _PANIC_SELECTOR and len(body) >= _WORD_BYTES:
        code = int.from_bytes(body[:_WORD_BYTES], "big")
        return _PANICS.get(code, f"unknown panic code: {code:#x}")
    return None


def _string(body: bytes) -> str | None:
    """The one string of an ABI-encoded argument list, as far as it is well-formed UTF-8."""
    if len(body) < 2 * _WORD_BYTES:
        return None
    offset = int.from_bytes(body[:_WORD_BYTES], "big")
    if offset > len(body) - _WORD_BYTES:
        return None
    start = offset + _WORD_BYTES
    length = int.from_bytes(body[offset:start], "big")
    if length > len(body) - start:
        return None
    return body[start : start + length].decode("utf-8", "replace")
