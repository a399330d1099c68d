"""Rules set aside: how a block looks whose every root is right although one of its transactions is forbidden.

A client that lacks a check would accept such a block; a block whose roots are merely left over would be
refused for its roots, and the missing check would stay hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from .eels import REFUSALS, quantity
from .oracle import Specification

_AMPLE_GAS = 2**60


class _Unbounded:
    """Stands for an upper limit and is greater than everything."""

    def __lt__(self, other: object) -> bool:
        return False

    def __le__(self, other: object) -> bool:
        return False

    def __floordiv__(self, other: object) -> _Unbounded:
        return self

    def __sub__(self, other: object) -> _Unbounded:
        return self


@contextmanager
def without_limits(spec: Specification) -> Iterator[None]:
    """Within, a fork accepts forbidden signatures, gas limits, initcode sizes, blob counts and chain ids.

    It also overlooks system contracts that are missing or fail, and deposits of the wrong layout.
    """
    interpreter = import_module(f"ethereum.forks.{spec.fork.module}.vm.interpreter")
    with ExitStack() as stack:
        for module, name in (
            (spec.transactions, "SECP256K1N"),
            (spec.transactions, "TX_MAX_GAS_LIMIT"),
            (spec.rules, "MAX_BLOB_GAS_PER_BLOCK"),
            (spec.rules, "BLOB_COUNT_LIMIT"),
            (interpreter, "MAX_INIT_CODE_SIZE"),
        ):
            if hasattr(module, name):
                stack.enter_context(_replaced(module, name, _Unbounded()))
        stack.enter_context(_replaced(spec.rules, "recover_sender", spec.recover_sender_of_any_chain))
        stack.enter_context(_replaced(spec.rules, "check_transaction", _with_ample_gas(spec)))
        if hasattr(spec.rules, "process_checked_system_transaction"):
            unchecked = spec.rules.process_unchecked_system_transaction
            stack.enter_context(_replaced(spec.rules, "process_checked_system_transaction", unchecked))
            stack.enter_context(_replaced(spec.rules, "parse_deposit_requests", _overlooking(spec)))
        yield


@contextmanager
def _replaced(module: Any, name: str, value: object) -> Iterator[None]:
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


def _overlooking(spec: Specification) -> Any:
    original = spec.rules.parse_deposit_requests

    def parse_deposit_requests(block_output: Any) -> Any:
        try:
            return original(block_output)
        except REFUSALS:
            return b""

    return parse_deposit_requests


def _with_ample_gas(spec: Specification) -> Any:
    original = spec.rules.check_transaction

    def check_transaction(block_env: Any, block_output: Any, tx: Any) -> Any:
        limit = block_env.block_gas_limit
        block_env.block_gas_limit = quantity(_AMPLE_GAS)
        try:
            return original(block_env=block_env, block_output=block_output, tx=tx)
        finally:
            block_env.block_gas_limit = limit

    return check_transaction
