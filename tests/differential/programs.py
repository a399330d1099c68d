"""Random EVM programs that do something: storage, calls into each other, creations, logs, odd ends.

A program is a row of *statements*, each of which leaves the stack as it was; about one program in ten also
holds a deliberate mistake. Results (success flags, gas left, return data) go into storage, so that any
difference between two machines becomes a different state root.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from . import addresses, precompiles
from .assembler import Assembler, Label, Op
from .networks import Fork
from .values import SCRATCH_BYTES, SLOTS, Values

_INPUT_OFFSET = SCRATCH_BYTES
"""Memory from here on holds call inputs and initcode."""

_DIGEST_BYTES = SCRATCH_BYTES + 128
"""Memory that a program hashes to show what it holds: values, output, and the beginning of the input."""

_MAX_CODE_BYTES = 24_576
"""EIP-170."""

_MAX_INITCODE_BYTES = 2 * _MAX_CODE_BYTES
"""EIP-3860."""

_CALLS = ((Op.CALL, Fork.FRONTIER), (Op.CALL, Fork.FRONTIER), (Op.CALLCODE, Fork.FRONTIER),
          (Op.DELEGATECALL, Fork.HOMESTEAD), (Op.STATICCALL, Fork.BYZANTIUM))  # fmt: skip


def random_program(dice: random.Random, fork: Fork, statements: int, nesting: int = 0) -> bytes:
    """A program of about so many statements. ``nesting`` counts the programs this one is created by."""
    if dice.random() < 0.02:
        return dice.randbytes(dice.randrange(1, 40))
    return _Program(dice, fork, nesting).write(statements)


def random_initcode(dice: random.Random, fork: Fork, nesting: int = 0) -> bytes:
    """Initcode of every kind: good, empty, failing, too large, or returning what must not be deployed."""
    match dice.randrange(12):
        case 0:
            return b""
        case 1:
            return random_program(dice, fork, 4, nesting + 1)
        case 2:
            return _returning(
                dice.choice((b"\xef", b"\xef\x00", b"\xef\x01\x00" + bytes(20), b"\xfe", b"\x00"))
            )
        case 3:
            return _returning_zeros(dice.choice((1, 100, _MAX_CODE_BYTES, _MAX_CODE_BYTES + 1)))
        case 4:
            return _returning(
                random_program(dice, fork, 2, nesting + 1), before=random_program(dice, fork, 1, nesting + 1)
            )
        case _:
            runtime = random_program(dice, fork, dice.randrange(1, 5), nesting + 1)
            return _returning(runtime, before=_storing(dice))


def _storing(dice: random.Random) -> bytes:
    """Code that writes a small value to a small slot."""
    return bytes([Op.PUSH1, dice.randrange(4), Op.PUSH1, dice.randrange(SLOTS), Op.SSTORE])


def _returning(runtime: bytes, before: bytes = b"") -> bytes:
    """Initcode that runs ``before`` and then deploys the runtime."""
    code = Assembler()
    code.raw(before)
    label = code.data(runtime)
    code.push(len(runtime))
    code.push_label(label)
    code.push(0)
    code.op(Op.CODECOPY)
    code.push(len(runtime))
    code.push(0)
    code.op(Op.RETURN)
    return code.finish()


def _returning_zeros(size: int) -> bytes:
    code = Assembler()
    code.push(size)
    code.op(Op.PUSH1, 0, Op.RETURN)
    return code.finish()


class _Program:
    """Writes one program."""

    def __init__(self, dice: random.Random, fork: Fork, nesting: int) -> None:
        self.dice = dice
        self.fork = fork
        self.nesting = nesting
        self.code = Assembler()
        self.values = Values(dice, fork, self.code)

    def write(self, statements: int) -> bytes:
        """The whole program."""
        for _ in range(statements):
            self.statement()
        self._end()
        return self.code.finish()

    def statement(self, depth: int = 2) -> None:
        """One statement."""
        weights: list[tuple[int, Callable[[], None]]] = [
            (6, self._store), (3, self._remember), (2, self._log), (6, self._call), (3,
            self._call_precompile), (2, self._copy), (1, self._copy_account), (1, self._shuffle), (1,
            self._mistake),
        ]  # fmt: skip
        if self.nesting < 2:
            weights.append((3, self._create))
        if self.fork >= Fork.CANCUN:
            weights += [(2, self._store_transient), (1, self._copy_memory)]
        if self.fork >= Fork.BYZANTIUM:
            weights.append((2, self._copy_returned))
        if depth:
            weights += [(2, lambda: self._branch(depth - 1)), (1, lambda: self._loop(depth - 1))]
        shares, choices = zip(*weights, strict=True)
        self.dice.choices(choices, shares)[0]()

    def _store(self) -> None:
        self.values.word()
        self.values.slot()
        self.code.op(Op.SSTORE)

    def _store_transient(self) -> None:
        self.values.word()
        self.values.slot()
        self.code.op(Op.TSTORE)

    def _remember(self) -> None:
        self.values.word()
        self.values.offset()
        self.code.op(self.dice.choice((Op.MSTORE, Op.MSTORE, Op.MSTORE8)))

    def _log(self) -> None:
        topics = self.dice.randrange(5)
        for _ in range(topics):
            self.values.word(1)
        self.values.region()
        self.code.op(Op.LOG0 + topics)

    def _keep(self) -> None:
        """Store the word on top of the stack where the state root sees it."""
        if self.dice.random() < 0.9:
            self.code.push(self.dice.randrange(2 * SLOTS))
            self.code.op(Op.SSTORE)
        else:
            self.code.op(Op.POP)

    def _keep_memory(self) -> None:
        """Store a hash of what memory holds."""
        self.code.push(_DIGEST_BYTES)
        self.code.push(0)
        self.code.op(Op.KECCAK256)
        self._keep()

    def _call(self) -> None:
        op = self.values.pick(_CALLS)
        self.values.region()  # where the output goes
        self.values.region()  # the input
        if op in (Op.CALL, Op.CALLCODE):
            self.code.push(self.dice.choice((0, 0, 0, 1, 1, 7, 10**18, 2**255)))
        self.values.account()
        self._gas()
        self.code.op(op)
        self._keep()

    def _gas(self) -> None:
        """Gas for a call. Before EIP-150 asking for more than there is fails, so mostly a fixed amount."""
        everything = 0.75 if self.fork >= Fork.TANGERINE_WHISTLE else 0.05
        if self.dice.random() < everything:
            self.code.op(Op.GAS)
        else:
            self.code.push(self.dice.choice((0, 700, 2300, 20_000, 60_000, 100_000, 200_000)))

    def _call_precompile(self) -> None:
        number = self.values.precompile()
        data = precompiles.sample(self.dice, number)
        op = Op.STATICCALL if self.fork >= Fork.BYZANTIUM and self.dice.random() < 0.5 else Op.CALL
        self._load(data)
        self.code.push(self.dice.choice((0, 32, 64, 128, 128)))
        self.code.push(self.dice.choice((0, 32)))
        self.code.push(len(data))
        self.code.push(_INPUT_OFFSET)
        if op == Op.CALL:
            self.code.push(self.dice.choice((0, 0, 0, 1)))
        self.code.push(number)
        self.code.push(self.dice.choice((0, 700, 3_000, 60_000, 150_000, 150_000)))
        self.code.op(op)
        self._keep()
        self._keep_memory()

    def _load(self, data: bytes) -> Label:
        """Copy bytes from behind the code into memory."""
        label = self.code.data(data)
        self.code.push(len(data))
        self.code.push_label(label)
        self.code.push(_INPUT_OFFSET)
        self.code.op(Op.CODECOPY)
        return label

    def _create(self) -> None:
        salted = self.values.known(Fork.CONSTANTINOPLE_FIX) and self.dice.random() < 0.5
        if salted:
            self.code.push(self.dice.randrange(2))
        if self.dice.random() < 0.05:
            self.code.push(_MAX_INITCODE_BYTES + self.dice.randrange(2))  # of empty memory
        else:
            initcode = random_initcode(self.dice, self.fork, self.nesting)
            self._load(initcode)
            self.code.push(len(initcode))
        self.code.push(_INPUT_OFFSET)
        self.code.push(self.dice.choice((0, 0, 0, 1, 5, 10**18)))
        self.code.op(Op.CREATE2 if salted else Op.CREATE)
        if self.dice.random() < 0.4:
            self._call_created()
        self._keep()

    def _call_created(self) -> None:
        """Call the address on top of the stack and leave it there."""
        for _ in range(5):
            self.code.push(0)
        self.code.op(Op.DUP1 + 5)
        self._gas()
        self.code.op(Op.CALL)
        self._keep()

    def _copy(self) -> None:
        self.code.push(self.dice.choice((0, 1, 32, 40, 100)))
        self.code.push(self.dice.choice((0, 0, 1, 31, 1000, 2**64)))
        self.values.offset()
        self.code.op(self.dice.choice((Op.CALLDATACOPY, Op.CODECOPY)))

    def _copy_account(self) -> None:
        self.code.push(self.dice.choice((0, 1, 23, 32, 100)))
        self.code.push(self.dice.choice((0, 0, 1, 1000, 2**255)))
        self.values.offset()
        self.values.account()
        self.code.op(Op.EXTCODECOPY)

    def _copy_returned(self) -> None:
        if self.dice.random() < 0.8:
            self.code.op(Op.RETURNDATASIZE)
            self.code.push(0)
        else:
            self.code.push(self.dice.choice((0, 1, 32, 33)))
            self.code.push(self.dice.choice((0, 1, 2**64)))
        self.values.offset()
        self.code.op(Op.RETURNDATACOPY)

    def _copy_memory(self) -> None:
        self.values.region()
        self.values.offset()
        self.code.op(Op.MCOPY)

    def _shuffle(self) -> None:
        depth = self.dice.randrange(2, 6)
        for _ in range(depth):
            self.values.word(1)
        self.code.op(Op.SWAP1 + self.dice.randrange(depth - 1), Op.DUP1 + self.dice.randrange(depth))
        for _ in range(depth):
            self.code.op(Op.POP)
        self._keep()

    def _branch(self, depth: int) -> None:
        after = self.code.label()
        self.values.word()
        self.code.push_label(after)
        self.code.op(Op.JUMPI)
        for _ in range(self.dice.randrange(1, 3)):
            self.statement(depth)
        self.code.place(after)
        self.code.op(Op.JUMPDEST)

    def _loop(self, depth: int) -> None:
        start = self.code.label()
        self.code.push(self.dice.randrange(1, 5))
        self.code.place(start)
        self.code.op(Op.JUMPDEST)
        self.statement(depth)
        self.code.push(1)
        self.code.op(Op.SWAP1, Op.SUB, Op.DUP1)
        self.code.push_label(start)
        self.code.op(Op.JUMPI, Op.POP)

    def _mistake(self) -> None:
        """Something no valid program does. Rare, because most of them end the frame."""
        if self.dice.random() < 0.85:
            self._store()
            return
        match self.dice.randrange(5):
            case 0:
                self.code.op(Op.POP)
            case 1:
                self.code.push(1)
                self.code.op(Op.JUMP)
            case 2:
                self.code.op(self.dice.choice((0x0C, 0x21, 0x4F, 0xA5, 0xB0, 0xEF, 0xFC, Op.INVALID)))
            case 3:
                self.code.raw(bytes([Op.PC]) * 1025)
            case _:
                self.code.raw(self.dice.randbytes(4))

    def _end(self) -> None:
        if self.dice.random() < 0.4:
            self._keep_memory()
        match self.dice.randrange(10):
            case 0 | 1 | 2:
                self.code.op(Op.STOP)
            case 3 | 4:
                self.values.region()
                self.code.op(Op.RETURN)
            case 5:
                self.values.region()
                self.code.op(Op.REVERT)
            case 6 | 7:
                self.values.account()
                self.code.op(Op.SELFDESTRUCT)
            case _:
                return  # runs off the end into the data behind the code


def deposit_contract(dice: random.Random) -> bytes:
    """Code that logs what calldata holds under the deposit event's topic, or under another."""
    code = Assembler()
    code.op(Op.CALLDATASIZE)
    code.push(0)
    code.push(0)
    code.op(Op.CALLDATACOPY)
    topic = addresses.DEPOSIT_EVENT_TOPIC if dice.random() < 0.9 else dice.randbytes(32)
    code.push(int.from_bytes(topic, "big"))
    code.op(Op.CALLDATASIZE)
    code.push(0)
    code.op(Op.LOG0 + 1)
    return code.finish()


def deposit_event(dice: random.Random) -> bytes:
    """Data of a deposit event (EIP-6110): five byte strings, ABI-encoded; rarely with a wrong layout."""
    parts = [dice.randbytes(size) for size in (48, 32, 8, 96, 8)]
    offsets, tail = [], b""
    for part in parts:
        offsets.append(160 + len(tail))
        tail += len(part).to_bytes(32, "big") + part + bytes(-len(part) % 32)
    data = b"".join(offset.to_bytes(32, "big") for offset in offsets) + tail
    match dice.randrange(25):
        case 0:
            return data[:-1]
        case 1:
            word = dice.randrange(len(data) // 32)
            return data[: word * 32] + (1).to_bytes(32, "big") + data[word * 32 + 32 :]
        case _:
            return data
