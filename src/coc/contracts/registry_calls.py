"""What consensus asks the ValidatorRegistry: calldata, and strict readers of the answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from coc.contracts.abi import AnswerInvalid, WordReader, address_word, selector, word
from coc.primitives.limits import GENESIS_VALIDATORS_MAX
from coc.primitives.types import Address, Height
from coc.primitives.validators import (
    POWER_BITS,
    PUBLIC_KEY_BYTES,
    Validator,
    ValidatorSet,
    address_of_key,
)

SETS_IN_SIGHT: Final = 3
"""Sets that a registry knows at a time: of the current period and the two after it (SET-6)."""

SETS_REMEMBERED: Final = 8
"""Answers that are not read again: block after block asks for the same sets."""

_VALIDATOR_SET: Final = selector("validatorSet(uint64)")
_SKIP_LIST: Final = selector("skipList()")
_STANDING: Final = selector("standing(address,uint64)")


def period_of(height: Height, period_blocks: int) -> int:
    """The set period that holds a height (SET-5)."""
    return height // period_blocks


def validator_set_call(period: int) -> bytes:
    """Asks for the set of a period: the current one at the block asked, or one of the two after it."""
    return _VALIDATOR_SET + word(period)


@lru_cache(maxsize=SETS_REMEMBERED)
def decode_validator_set_answer(answer: bytes) -> ValidatorSet:
    """Read the answer to `validator_set_call`.

    Raises:
        AnswerInvalid: it has another shape, is empty, or an entry contradicts itself.
    """
    reader = WordReader(answer)
    count = reader.list_length(GENESIS_VALIDATORS_MAX)
    validators = tuple(_validator(reader) for _ in range(count))
    reader.finish()
    if not validators:
        raise AnswerInvalid("the registry's set is empty", why="no set ever is (SET-9)")
    if len({validator.id for validator in validators}) != count:
        raise AnswerInvalid("the registry's set names a validator twice")
    return ValidatorSet(validators)


def skip_list_call() -> bytes:
    """Asks for the convicted that still have power."""
    return _SKIP_LIST


def decode_skip_list_answer(answer: bytes) -> frozenset[Address]:
    """Read the answer to `skip_list_call`.

    Raises:
        AnswerInvalid: it has another shape, or names somebody twice.
    """
    reader = WordReader(answer)
    count = reader.list_length(SETS_IN_SIGHT * GENESIS_VALIDATORS_MAX)
    skipped = frozenset(reader.address() for _ in range(count))
    reader.finish()
    if len(skipped) != count:
        raise AnswerInvalid("the registry's skip list names a validator twice")
    return skipped


def standing_call(validator: Address, height: Height) -> bytes:
    """Asks whether evidence against a validator at a height convicts (SET-14)."""
    return _STANDING + address_word(validator) + word(height)


def decode_standing_answer(answer: bytes) -> bool:
    """Read the answer to `standing_call`.

    Raises:
        AnswerInvalid: it is no truth value.
    """
    reader = WordReader(answer)
    stands = reader.flag()
    reader.finish()
    return stands


def _validator(reader: WordReader) -> Validator:
    id_ = reader.address()
    network_key = reader.raw(PUBLIC_KEY_BYTES)
    consensus_key = reader.raw(PUBLIC_KEY_BYTES)
    power = reader.uint(POWER_BITS)
    fee_recipient = reader.address()
    if id_ != address_of_key(consensus_key):
        raise AnswerInvalid(
            "the registry's set contradicts itself", why=f"0x{id_.hex()} is not the address of its key"
        )
    if power == 0:
        raise AnswerInvalid("the registry's set lists a validator without power", why=f"0x{id_.hex()}")
    return Validator(id_, network_key, consensus_key, power, fee_recipient)
