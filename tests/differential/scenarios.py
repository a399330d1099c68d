"""Programs with a purpose: sequences that chance would rarely find but that history has got wrong before."""

from __future__ import annotations

import random
from collections.abc import Callable

from . import addresses, precompiles
from .assembler import Assembler, Op
from .networks import Fork
from .values import SLOTS

_RIPEMD = 3
"""The precompile whose touched account survives a failed frame (the anomaly in EIP-161's history)."""

_CALL_OVERHEAD_GAS = (120, 2_000)
"""Kept back by a recursing call, so that forks before EIP-150 do not ask for more than there is. The small
amount reaches the depth limit of 1,024 there; the large one leaves enough to store the result."""

_PETITION_SHARE = 0.2

_ANSWER_BYTES = 256
"""Longest answer of a precompile whose length is fixed: a point of BLS12-381's second group."""


def random_scenario(dice: random.Random, fork: Fork) -> bytes:
    """One of the scenarios, with dice for its details."""
    if fork >= Fork.PRAGUE and dice.random() < _PETITION_SHARE:
        return _petition(dice, fork)
    return dice.choice(_SCENARIOS)(dice, fork)


def _call(code: Assembler, target: int, value: int = 0, gas: int | None = None) -> None:
    """A call without data; the success flag stays on the stack."""
    for number in (0, 0, 0, 0, value, target):
        code.push(number)
    if gas is None:
        code.op(Op.GAS)
    else:
        code.push(gas)
    code.op(Op.CALL)


def _recursion(dice: random.Random, fork: Fork) -> bytes:
    """Calls itself with all gas but a little and counts the successes: meets the depth limit or the 63/64."""
    code = Assembler()
    for _ in range(5):
        code.push(0)
    code.op(Op.ADDRESS)
    code.push(dice.choice(_CALL_OVERHEAD_GAS))
    code.op(Op.GAS, Op.SUB)
    code.op(Op.CALL)
    code.push(dice.choice((0, 1)))
    code.op(Op.SLOAD, Op.ADD)
    code.push(dice.choice((0, 1)))
    code.op(Op.SSTORE)
    return code.finish()


def _phoenix(dice: random.Random, fork: Fork) -> bytes:
    """Creates a child at a fixed address, calls it so that it destroys itself, and creates it again."""
    beneficiary = dice.choice((Op.CALLER, Op.ADDRESS, Op.ORIGIN))
    runtime = bytes([Op.PUSH1, 7, Op.PUSH1, dice.randrange(SLOTS), Op.SSTORE, beneficiary, Op.SELFDESTRUCT])
    initcode = bytes([Op.PUSH1 + len(runtime) - 1]) + runtime + bytes([Op.PUSH1, 0, Op.MSTORE])
    initcode += bytes([Op.PUSH1, len(runtime), Op.PUSH1, 32 - len(runtime), Op.RETURN])
    code = Assembler()
    label = code.data(initcode)
    for number in range(dice.choice((1, 2, 3))):
        code.push(len(initcode))
        code.push_label(label)
        code.push(0)
        code.op(Op.CODECOPY)
        if fork >= Fork.CONSTANTINOPLE_FIX:
            code.push(dice.choice((0, 0, 1)))
        code.push(len(initcode))
        code.push(0)
        code.push(dice.choice((0, 0, 1)))
        code.op(Op.CREATE2 if fork >= Fork.CONSTANTINOPLE_FIX else Op.CREATE)
        code.op(Op.DUP1)
        code.push(number)
        code.op(Op.SSTORE)
        if dice.random() < 0.7:
            for _ in range(5):
                code.push(0)
            code.op(Op.DUP1 + 5)
            code.push(60_000)
            code.op(Op.CALL, Op.POP)
        code.op(Op.DUP1, Op.EXTCODESIZE)
        code.push(SLOTS - 1)
        code.op(Op.SSTORE, Op.POP)
    return code.finish()


def _toggle(dice: random.Random, fork: Fork) -> bytes:
    """Writes few values to few slots many times, so that every branch of the storage gas rules is met."""
    code = Assembler()
    for _ in range(dice.randrange(4, 14)):
        code.push(dice.randrange(3))
        code.push(dice.randrange(2))
        code.op(Op.SSTORE)
        if dice.random() < 0.2:
            code.op(Op.GAS)
            code.push(SLOTS - 1)
            code.op(Op.SSTORE)
    if dice.random() < 0.3:
        code.op(Op.CALLER, Op.SELFDESTRUCT)
    return code.finish()


def _touch(dice: random.Random, fork: Fork) -> bytes:
    """Touches empty accounts and precompiles without value, and then perhaps fails."""
    code = Assembler()
    targets = [int.from_bytes(address, "big") for address in addresses.EMPTY_ACCOUNTS] + [_RIPEMD, 2, 4]
    for target in dice.sample(targets, dice.randrange(1, len(targets))):
        _call(code, target, gas=dice.choice((0, 3_000)))
        code.op(Op.POP)
    ending: tuple[tuple[int, ...], ...] = (
        (Op.STOP,), (Op.INVALID,), (Op.PUSH1, 0, Op.PUSH1, 0, Op.REVERT), (Op.PUSH1, _RIPEMD,
        Op.SELFDESTRUCT),
    )  # fmt: skip
    code.op(*dice.choice(ending))
    return code.finish()


def _chorus(dice: random.Random, fork: Fork) -> bytes:
    """Calls several contracts in turn with all gas and keeps their answers; the last may undo everything."""
    code = Assembler()
    for slot in range(dice.randrange(2, 5)):
        _call(code, int.from_bytes(dice.choice(addresses.CONTRACTS), "big"), dice.choice((0, 0, 1)),
              None if fork >= Fork.TANGERINE_WHISTLE else 90_000)  # fmt: skip
        code.push(slot)
        code.op(Op.SSTORE)
    if dice.random() < 0.2:
        code.op(Op.PUSH1, 0, Op.PUSH1, 0, Op.REVERT)
    return code.finish()


def _inheritance(dice: random.Random, fork: Fork) -> bytes:
    """Destroys itself in favour of somebody, perhaps of itself, perhaps twice in one transaction."""
    code = Assembler()
    code.push(1)
    code.push(dice.randrange(SLOTS))
    code.op(Op.SSTORE)
    heir = dice.choice(
        (*addresses.CONTRACTS, *addresses.EMPTY_ACCOUNTS, addresses.ABSENT, addresses.address(_RIPEMD))
    )
    if dice.random() < 0.3:
        code.op(Op.ADDRESS)
    else:
        code.push(int.from_bytes(heir, "big"))
    code.op(Op.SELFDESTRUCT)
    return code.finish()


def _mirror(dice: random.Random, fork: Fork) -> bytes:
    """Runs another contract's code on its own storage and returns what that returned."""
    code = Assembler()
    delegate = fork >= Fork.HOMESTEAD
    for number in (0, 0, 0, 0) if delegate else (0, 0, 0, 0, 0):
        code.push(number)
    code.push(int.from_bytes(dice.choice(addresses.CONTRACTS), "big"))
    code.push(dice.choice((50_000, 120_000)))
    code.op(Op.DELEGATECALL if delegate else Op.CALLCODE)
    if fork >= Fork.BYZANTIUM:
        code.op(Op.RETURNDATASIZE, Op.PUSH1, 0, Op.PUSH1, 0, Op.RETURNDATACOPY)
        code.op(Op.RETURNDATASIZE, Op.PUSH1, 0, dice.choice((Op.RETURN, Op.REVERT)))
    return code.finish()


def _petition(dice: random.Random, fork: Fork) -> bytes:
    """Files requests with a predeploy, some of them more than a block may carry, so that a queue remains."""
    target, size = dice.choice(((addresses.WITHDRAWAL_REQUESTS, 56), (addresses.CONSOLIDATION_REQUESTS, 96)))
    code = Assembler()
    for count in range(dice.choice((1, 2, 3, 5, 18))):
        code.push(count + 1)
        code.push(0)
        code.op(Op.MSTORE)
        for number in (0, 0, size, 0, dice.choice((1, 1, 2)), int.from_bytes(target, "big")):
            code.push(number)
        code.op(Op.GAS, Op.CALL)
        code.push(count % SLOTS)
        code.op(Op.SSTORE)
    return code.finish()


def _laboratory(dice: random.Random, fork: Fork) -> bytes:
    """Calls several precompiles with enough gas and stores a hash of what each of them answers."""
    code = Assembler()
    for slot in range(dice.randrange(2, 6)):
        number = dice.randint(1, precompiles.newest_precompile(fork))
        if fork >= Fork.OSAKA and dice.random() < 0.15:
            number = precompiles.P256_ADDRESS
        if number in precompiles.SLOW and dice.random() < 0.7:
            number = 5
        data = precompiles.sample(dice, number)
        label = code.data(data)
        code.push(len(data))
        code.push_label(label)
        code.push(_ANSWER_BYTES)
        code.op(Op.CODECOPY)
        for operand in (_ANSWER_BYTES, 0, len(data), _ANSWER_BYTES, 0, number, 250_000):
            code.push(operand)
        code.op(Op.CALL)
        code.push(_ANSWER_BYTES)
        code.push(0)
        code.op(Op.KECCAK256, Op.ADD)
        code.push(slot)
        code.op(Op.SSTORE)
    return code.finish()


_SCENARIOS: tuple[Callable[[random.Random, Fork], bytes], ...] = (
    _recursion, _phoenix, _phoenix, _toggle, _toggle, _touch, _touch, _chorus, _chorus, _inheritance, _mirror,
    _laboratory, _laboratory,
)  # fmt: skip
