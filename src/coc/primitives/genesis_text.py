"""The accounts of a genesis file, maybe a million: cut out of its text, and checked by the Rust core.

What is left of the text, the *outline*, is small and read as JSON like other files. The accounts never become
Python objects; only those asked for are handed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from coc import _native
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.types import Address


class GenesisTextInvalid(PrimitivesError):
    """A genesis text that cannot be cut, or an account that breaks a rule; `place` is the field."""

    id: ClassVar[str] = "COC-GENESIS-TEXT"

    def __init__(self, place: str, why: str, cure: str = "") -> None:
        """Name the field, and say what is wrong with it in words that follow "it"."""
        super().__init__(f"the genesis field `{place}` cannot be used", why=f"it {why}", cure=cure)
        self.place = place
        self.reason = why


@frozen
class GenesisText:
    """A genesis file's text in its parts."""

    outline: bytes
    """The text with an empty `alloc`."""
    alloc: bytes
    """The value of `alloc`."""


def cut_genesis(text: bytes) -> GenesisText:
    """Cut the accounts out of a genesis text.

    Raises:
        GenesisTextInvalid: it is not JSON, or has no `alloc` object.
    """
    try:
        begin, end = _native.genesis_alloc(text)
    except ValueError as error:
        place, reason = error.args
        raise GenesisTextInvalid(place, reason) from error
    return GenesisText(text[:begin] + b"{}" + text[end:], text[begin:end])


def check_accounts(
    alloc: bytes, *, is_ours: bool, wanted: Sequence[Address]
) -> tuple[int, dict[Address, bytes]]:
    """Hold every account to the rules: how many there are, and the JSON of those asked for.

    On chains of ours an account has no member that nobody reads.

    Raises:
        GenesisTextInvalid: naming the first that breaks a rule.
    """
    try:
        count, found = _native.genesis_accounts(alloc, is_ours, list(wanted))
    except ValueError as error:
        place, reason, cure = error.args
        raise GenesisTextInvalid(place, reason, cure) from error
    return count, {Address(address): text for address, text in found}
