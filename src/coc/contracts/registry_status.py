"""What an operator asks the ValidatorRegistry: how a validator stands, periods, the least stake."""

from __future__ import annotations

from typing import Final

from coc.contracts.abi import WordReader, address_word, selector
from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Height, Seconds, Wei

CHANGE_DELAY_PERIODS: Final = 2
"""A change made in one period counts from the second after it (SET-5)."""

_STATUS: Final = selector("status(address)")
_PERIOD_BLOCKS: Final = selector("periodBlocks()")
_STAKE_MIN: Final = selector("stakeMinWei()")
_PERIOD_BITS: Final = 32


@frozen
class RegistryStatus:
    """What the registry keeps of a validator; all zero where it knows none."""

    operator: Address
    stake_wei: Wei
    convictions: int
    leaves_from: int
    """The first period without power; 0 where it stays."""
    unlock_height: Height
    """The first block in which the stake may be withdrawn; 0 where it stays."""
    unlock_time: Seconds
    """The same in time; 0 until its power has ended."""

    @property
    def is_known(self) -> bool:
        """Whether the registry holds a stake, or held it until it was slashed away."""
        return any(self.operator)


def status_call(validator: Address) -> bytes:
    """Asks for one validator."""
    return _STATUS + address_word(validator)


def decode_status_answer(answer: bytes) -> RegistryStatus:
    """Read the answer to `status_call`.

    Raises:
        AnswerInvalid: it has another shape.
    """
    reader = WordReader(answer)
    status = RegistryStatus(
        reader.address(),
        Wei(reader.uint(256)),
        reader.uint(32),
        reader.uint(_PERIOD_BITS),
        Height(reader.uint(256)),
        Seconds(reader.uint(256)),
    )
    reader.finish()
    return status


def period_blocks_call() -> bytes:
    """Asks how many blocks a set period has."""
    return _PERIOD_BLOCKS


def stake_min_call() -> bytes:
    """Asks for the least stake to register with."""
    return _STAKE_MIN


def decode_number_answer(answer: bytes) -> int:
    """Read an answer that is one number.

    Raises:
        AnswerInvalid: it has another shape.
    """
    reader = WordReader(answer)
    value = reader.uint(256)
    reader.finish()
    return value


def first_height_of_change(height: Height, period_blocks: int) -> Height:
    """The first block for which a change counts that is made in the block at `height` (SET-5)."""
    return Height((height // period_blocks + CHANGE_DELAY_PERIODS) * period_blocks)
