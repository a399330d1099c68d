"""The contract ABI as far as the system contracts use it: words of 32 bytes, and byte strings in calldata.

Writing never fails on what the types allow. Reading is strict: a word has no bit that its type does not
have, and an answer has no byte more or less than what it says.
"""

from __future__ import annotations

from typing import ClassVar, Final

from coc.primitives.errors import PrimitivesError
from coc.primitives.keccak import keccak256
from coc.primitives.types import ADDRESS_BYTES, Address

WORD_BYTES: Final = 32


class AnswerInvalid(PrimitivesError):
    """Bytes that are not what the contract's function returns."""

    id: ClassVar[str] = "COC-CONTRACT-ANSWER"


def selector(signature: str) -> bytes:
    """The four bytes that name a function: `beginPeriod()`."""
    return keccak256(signature.encode("ascii"))[:4]


def word(value: int) -> bytes:
    """A number from 0 to 2^256 - 1."""
    return value.to_bytes(WORD_BYTES, "big")


def address_word(address: Address) -> bytes:
    """An address, zeros before it."""
    return bytes(WORD_BYTES - ADDRESS_BYTES) + address


def byte_string(data: bytes) -> bytes:
    """The tail of a `bytes` argument: its length, and itself with zeros up to a whole word."""
    return word(len(data)) + data + bytes(-len(data) % WORD_BYTES)


class WordReader:
    """Reads an answer from front to end; `finish` makes sure that nothing is left."""

    def __init__(self, data: bytes) -> None:
        """Begin at the first byte."""
        self._data = data
        self._offset = 0

    def raw(self, length: int) -> bytes:
        """The next bytes.

        Raises:
            AnswerInvalid: there are fewer.
        """
        taken = self._data[self._offset : self._offset + length]
        if len(taken) != length:
            raise AnswerInvalid("the contract's answer is cut short", why=f"it has {len(self._data)} bytes")
        self._offset += length
        return taken

    def uint(self, bits: int) -> int:
        """A number of at most so many bits.

        Raises:
            AnswerInvalid: it is larger, or there is no word left.
        """
        value = int.from_bytes(self.raw(WORD_BYTES), "big")
        if value >> bits:
            raise AnswerInvalid("the contract's answer holds a number too large", why=f"{value:#x}")
        return value

    def flag(self) -> bool:
        """A truth value: 0 or 1.

        Raises:
            AnswerInvalid: it is something else.
        """
        return self.uint(1) == 1

    def address(self) -> Address:
        """An address.

        Raises:
            AnswerInvalid: there is something before it.
        """
        return Address(self.uint(8 * ADDRESS_BYTES).to_bytes(ADDRESS_BYTES, "big"))

    def list_length(self, maximum: int) -> int:
        """The head of an answer that is one list: where it begins, which is at once, and its length.

        Raises:
            AnswerInvalid: it begins elsewhere, or is longer than `maximum`.
        """
        if self.uint(256) != WORD_BYTES:
            raise AnswerInvalid("the contract's answer is not one list")
        length = self.uint(256)
        if length > maximum:
            raise AnswerInvalid("the contract's answer is too long", why=f"{length} entries of {maximum}")
        return length

    def finish(self) -> None:
        """Nothing is left.

        Raises:
            AnswerInvalid: something is.
        """
        if self._offset != len(self._data):
            raise AnswerInvalid(
                "the contract's answer is too long", why=f"{len(self._data) - self._offset} bytes are left"
            )
