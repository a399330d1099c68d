"""The validator set read from the registry's state, by calls on a block's snapshot.

What the registry answers follows from its code, its storage and the set period of the block asked (SET-5), so
an answer is remembered under the hashes of those: block after block leaves the registry as it is, and asks
nothing of the EVM.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import msgspec

from coc.contracts import registry_calls
from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.validators import ValidatorSet

T = TypeVar("T")

CALL_GAS: Final = 100_000_000
"""Gas of one call: a set of 128 entries reads some 1,500 slots, 4 million gas, and their memory."""
ANSWERS_KEPT: Final = 64
"""Answers remembered: a few of each registry, which changes with a period, a stake or a conviction."""
BLOCKS_KEPT: Final = 16
"""Blocks whose registry is remembered: that of the head and of its parent is asked for at each step."""


class Caller(Protocol):
    """A chain whose states can be asked."""

    def header(self, block: bytes) -> Numbered | None:
        """A known block's facts."""
        ...

    def account(self, block: bytes, account: bytes) -> tuple[int, int, bytes, bytes]:
        """Nonce, balance, code hash and storage root in the state after `block`."""
        ...

    def call(
        self, block: bytes, request: bytes, overrides: bytes, block_overrides: bytes, gas_cap: int
    ) -> CallEnd:
        """Call a contract in the state after `block`."""
        ...


class Numbered(Protocol):
    """A block's facts, as far as they matter here."""

    @property
    def number(self) -> int:
        """Its height."""
        ...


class CallEnd(Protocol):
    """How a call ended."""

    @property
    def output(self) -> bytes:
        """What it returned."""
        ...


@frozen
class Registry:
    """All that the registry's answers follow from, after some block."""

    code_hash: bytes
    storage_root: bytes
    period: int


@dataclass(slots=True)
class _Block:
    """A block's registry, and what it has answered: each step of agreeing asks the same again."""

    registry: Registry
    answers: dict[bytes, Any] = field(default_factory=dict)


class Answers:
    """What registries answered. Chains may share it: each answer stands under all that it follows from."""

    def __init__(self) -> None:
        """Nothing was asked."""
        self._known: OrderedDict[tuple[Registry, bytes], object] = OrderedDict()

    def of(self, registry: Registry, calldata: bytes, ask: Callable[[], T]) -> T:
        """The answer of a registry, asked for if it is not known."""
        key = (registry, calldata)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known  # type: ignore[return-value]  # what this very question was answered with
        answer = ask()
        self._known[key] = answer
        while len(self._known) > ANSWERS_KEPT:
            self._known.popitem(last=False)
        return answer


class RegistrySets:
    """Sets, skip list and standing, as the state after a block has them."""

    def __init__(self, chain: Caller, period_blocks: int, answers: Answers | None = None) -> None:
        """`period_blocks` is the length of a set period."""
        self._chain = chain
        self._period_blocks = period_blocks
        self._answers = answers or Answers()
        self._blocks: OrderedDict[Hash32, _Block] = OrderedDict()

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
        known = self._blocks.get(block) or self._look_up(block)
        answer: T | None = known.answers.get(calldata)
        if answer is None:
            answer = self._answers.of(known.registry, calldata, lambda: read(self._call(block, calldata)))
            if len(known.answers) < ANSWERS_KEPT:
                known.answers[calldata] = answer
        return answer

    def _call(self, block: Hash32, calldata: bytes) -> bytes:
        request = {"to": f"0x{VALIDATOR_REGISTRY.hex()}", "input": f"0x{calldata.hex()}"}
        return self._chain.call(block, msgspec.json.encode(request), b"", b"", CALL_GAS).output

    def _look_up(self, block: Hash32) -> _Block:
        _, _, code_hash, storage_root = self._chain.account(block, VALIDATOR_REGISTRY)
        header = self._chain.header(block)
        if header is None:
            raise AssertionError("a block whose state is here has a header")
        period = registry_calls.period_of(Height(header.number), self._period_blocks)
        known = _Block(Registry(code_hash, storage_root, period))
        self._blocks[block] = known
        while len(self._blocks) > BLOCKS_KEPT:
            self._blocks.popitem(last=False)
        return known
