"""The validator set read from the registry's state, by calls on a block's snapshot.

Answers never change for a block, so each is asked for once: the engine, the verification of a block and the
one of its child want the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec

from coc.contracts import registry_calls
from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.validators import ValidatorSet

T = TypeVar("T")

CALL_GAS: Final = 100_000_000
"""Gas of one call: a set of 128 entries reads some 1,500 slots, 4 million gas, and their memory."""
ANSWERS_KEPT: Final = 64
"""Answers remembered: a few a block, and of a few blocks."""


class Caller(Protocol):
    """A chain whose states can be asked."""

    def call(
        self, block: bytes, request: bytes, overrides: bytes, block_overrides: bytes, gas_cap: int
    ) -> CallEnd:
        """Call a contract in the state after `block`."""
        ...


class CallEnd(Protocol):
    """How a call ended."""

    @property
    def output(self) -> bytes:
        """What it returned."""
        ...


class RegistrySets:
    """Sets, skip list and standing, as the state after a block has them."""

    def __init__(self, chain: Caller, period_blocks: int) -> None:
        """`period_blocks` is the length of a set period."""
        self._chain = chain
        self._period_blocks = period_blocks
        self._answers: OrderedDict[tuple[bytes, bytes], object] = OrderedDict()

    def validators(self, block: Hash32, height: Height) -> ValidatorSet:
        """set(height), read after `block`."""
        period = registry_calls.period_of(height, self._period_blocks)
        return self._ask(
            block, registry_calls.validator_set_call(period), registry_calls.decode_validator_set_answer
        )

    def skipped(self, block: Hash32) -> frozenset[Address]:
        """Who is convicted after `block`."""
        return self._ask(block, registry_calls.skip_list_call(), registry_calls.decode_skip_list_answer)

    def can_convict(self, block: Hash32, validator: Address, height: Height) -> bool:
        """Whether evidence against a validator counts after `block`."""
        calldata = registry_calls.standing_call(validator, height)
        return self._ask(block, calldata, registry_calls.decode_standing_answer)

    def _ask(self, block: Hash32, calldata: bytes, read: Callable[[bytes], T]) -> T:
        key = (block, calldata)
        known = self._answers.get(key)
        if known is not None:
            self._answers.move_to_end(key)
            return known  # type: ignore[return-value]  # what this very question was answered with
        request = {"to": f"0x{VALIDATOR_REGISTRY.hex()}", "input": f"0x{calldata.hex()}"}
        result = self._chain.call(block, msgspec.json.encode(request), b"", b"", CALL_GAS)
        answer = read(result.output)
        self._answers[key] = answer
        while len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)
        return answer
