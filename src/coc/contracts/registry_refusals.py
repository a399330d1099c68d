"""Why the ValidatorRegistry refused a transaction, in words: its custom errors, read from revert data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

from coc.contracts.abi import WORD_BYTES, selector
from coc.primitives.frozen import frozen
from coc.primitives.types import Wei
from coc.primitives.units import format_amount

_SELECTOR_BYTES: Final = 4
_Words: TypeAlias = Sequence[int]


@frozen
class Refusal:
    """What the contract said, and what helps."""

    why: str
    cure: str = ""


_Reader: TypeAlias = Callable[[_Words], Refusal]


def refusal_of(revert_data: bytes) -> Refusal | None:
    """What the registry's revert data mean; None where they are not one of its errors."""
    reader = _READERS.get(revert_data[:_SELECTOR_BYTES])
    arguments = revert_data[_SELECTOR_BYTES:]
    if reader is None or len(arguments) % WORD_BYTES:
        return None
    words = [
        int.from_bytes(arguments[at : at + WORD_BYTES], "big") for at in range(0, len(arguments), WORD_BYTES)
    ]
    try:
        return reader(words)
    except (IndexError, ValueError, OverflowError):  # fewer arguments than the error has, or no such time
        return None


def _said(why: str, cure: str = "") -> _Reader:
    return lambda words: Refusal(why, cure)  # noqa: ARG005 - the sentence needs none of them


def _stake_too_small(words: _Words) -> Refusal:
    stake, least = (format_amount(Wei(word)) for word in words[:2])
    return Refusal(f"a stake of {stake} is below the least, {least}", f"stake at least {least}")


def _set_full(words: _Words) -> Refusal:
    return Refusal(f"the set is full: it has its {words[0]} validators", "wait until one of them leaves")


def _not_operator(words: _Words) -> Refusal:
    return Refusal(
        f"0x{words[1]:040x} does not operate this validator",
        "send it with the key of its operator; `coc validator status` names it",
    )


def _still_locked(words: _Words) -> Refusal:
    _, height, time_s = words[:3]
    if height == 0:
        return Refusal("the validator is not leaving", "ask to leave first: `coc validator exit`")
    if time_s == 0:
        return Refusal("its power has not ended yet", f"its stake is locked at least until block {height:,}")
    when = datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Refusal(f"its stake is locked until block {height:,} and {when}")


_READERS: Final[dict[bytes, _Reader]] = {
    selector(signature): reader
    for signature, reader in (
        ("KeyInUse(address)", _said("this consensus key is registered already")),
        (
            "KeyConvicted(address)",
            _said("this consensus key was convicted of signing twice", "make new keys: `coc keys new`"),
        ),
        ("ProofInvalid(address)", _said("the consensus key's proof does not fit sender and keys")),
        ("StakeTooSmall(uint256,uint256)", _stake_too_small),
        ("PowerTooLarge(uint256)", _said("the stake is worth more power than there is")),
        ("SetFull(uint256)", _set_full),
        ("NothingSent()", _said("no coins were sent")),
        ("UnknownValidator(address)", _said("the registry knows no such validator")),
        ("NotOperator(address,address)", _not_operator),
        ("NotStaying(address)", _said("the validator is leaving already")),
        (
            "LastValidator(address)",
            _said("it is the only validator, and no set is empty", "let another join first"),
        ),
        ("StillLocked(address,uint256,uint256)", _still_locked),
    )
}
