"""Words for random programs: literals, what the environment says, and arithmetic upon them.

Every function appends code that leaves exactly one word on the stack.
"""

from __future__ import annotations

import random

from . import addresses
from .assembler import Assembler, Op
from .networks import Fork
from .precompiles import P256_ADDRESS, SLOW, newest_precompile

SLOTS = 6
"""Programs use storage slots 0 to 5, so that writes meet again."""

SCRATCH_BYTES = 256
"""Programs use the first so many bytes of memory for values."""

_TOO_NEW_SHARE = 0.01
"""How often an opcode is used before its fork."""

_EDGES = (0, 1, 2, 31, 32, 255, 256, 2**64 - 1, 2**64, 2**128, 2**255 - 1, 2**255, 2**256 - 2, 2**256 - 1)

_NULLARY = (
    (Op.ADDRESS, Fork.FRONTIER), (Op.ORIGIN, Fork.FRONTIER), (Op.CALLER, Fork.FRONTIER),
    (Op.CALLVALUE, Fork.FRONTIER), (Op.CALLDATASIZE, Fork.FRONTIER), (Op.CODESIZE, Fork.FRONTIER),
    (Op.GASPRICE, Fork.FRONTIER), (Op.RETURNDATASIZE, Fork.BYZANTIUM), (Op.COINBASE, Fork.FRONTIER),
    (Op.TIMESTAMP, Fork.FRONTIER), (Op.NUMBER, Fork.FRONTIER), (Op.DIFFICULTY, Fork.FRONTIER),
    (Op.GASLIMIT, Fork.FRONTIER), (Op.CHAINID, Fork.ISTANBUL), (Op.SELFBALANCE, Fork.ISTANBUL),
    (Op.BASEFEE, Fork.LONDON), (Op.BLOBBASEFEE, Fork.CANCUN), (Op.PC, Fork.FRONTIER), (Op.MSIZE,
    Fork.FRONTIER), (Op.GAS, Fork.FRONTIER), (Op.GAS, Fork.FRONTIER), (Op.PUSH0, Fork.SHANGHAI),
)  # fmt: skip

_BINARY = (
    (Op.ADD, Fork.FRONTIER), (Op.MUL, Fork.FRONTIER), (Op.SUB, Fork.FRONTIER), (Op.DIV, Fork.FRONTIER),
    (Op.SDIV, Fork.FRONTIER), (Op.MOD, Fork.FRONTIER), (Op.SMOD, Fork.FRONTIER), (Op.EXP, Fork.FRONTIER),
    (Op.SIGNEXTEND, Fork.FRONTIER), (Op.LT, Fork.FRONTIER), (Op.GT, Fork.FRONTIER), (Op.SLT, Fork.FRONTIER),
    (Op.SGT, Fork.FRONTIER), (Op.EQ, Fork.FRONTIER), (Op.AND, Fork.FRONTIER), (Op.OR, Fork.FRONTIER),
    (Op.XOR, Fork.FRONTIER), (Op.BYTE, Fork.FRONTIER), (Op.SHL, Fork.CONSTANTINOPLE_FIX),
    (Op.SHR, Fork.CONSTANTINOPLE_FIX), (Op.SAR, Fork.CONSTANTINOPLE_FIX),
)  # fmt: skip

_ACCOUNT_READS = (
    (Op.BALANCE, Fork.FRONTIER),
    (Op.EXTCODESIZE, Fork.FRONTIER),
    (Op.EXTCODEHASH, Fork.CONSTANTINOPLE_FIX),
)


class Values:
    """Draws words for one program under one fork's rules."""

    def __init__(self, dice: random.Random, fork: Fork, code: Assembler) -> None:
        self.dice = dice
        self.fork = fork
        self.code = code

    def known(self, since: Fork) -> bool:
        """Whether to use something that exists since a fork; now and then too early."""
        return self.fork >= since or self.dice.random() < _TOO_NEW_SHARE

    def pick(self, table: tuple[tuple[Op, Fork], ...]) -> Op:
        """An opcode from a table."""
        while True:
            op, since = self.dice.choice(table)
            if self.known(since):
                return op

    def word(self, depth: int = 2) -> None:
        """Any word."""
        kind = self.dice.randrange(12) if depth else self.dice.randrange(4)
        match kind:
            case 0 | 1:
                self.code.push(self.literal())
            case 2:
                self.code.op(self.pick(_NULLARY))
            case 3:
                self.slot()
                self.code.op(Op.SLOAD)
            case 4 | 5:
                self.word(depth - 1)
                self.word(depth - 1)
                self.code.op(self.pick(_BINARY))
            case 6:
                self.word(depth - 1)
                self.code.op(self._unary())
            case 7:
                self.code.push(self.dice.choice((0, 0, 4, 32, 2**64)))
                self.code.op(Op.CALLDATALOAD)
            case 8:
                self.account()
                self.code.op(self.pick(_ACCOUNT_READS))
            case 9:
                self.region()
                self.code.op(Op.KECCAK256)
            case 10:
                for _ in range(3):
                    self.word(depth - 1)
                self.code.op(self.dice.choice((Op.ADDMOD, Op.MULMOD)))
            case _:
                self._history()

    def literal(self) -> int:
        """A number."""
        match self.dice.randrange(6):
            case 0 | 1 | 2:
                return self.dice.randrange(6)
            case 3:
                return self.dice.choice(_EDGES)
            case 4:
                return self.dice.getrandbits(self.dice.choice((8, 16, 32, 160, 256)))
            case _:
                return int.from_bytes(self.address(), "big")

    def slot(self) -> None:
        """A storage slot."""
        self.code.push(self.dice.randrange(SLOTS) if self.dice.random() < 0.95 else self.literal())

    def offset(self) -> None:
        """A memory offset, rarely one that costs all gas."""
        far = self.dice.random() < 0.01
        self.code.push(
            self.dice.choice((2**16, 2**32, 2**255)) if far else self.dice.randrange(SCRATCH_BYTES)
        )

    def region(self) -> None:
        """A memory region: size below offset, so that the offset is on top."""
        far = self.dice.random() < 0.01
        size = (
            self.dice.choice((2**15, 2**64, 2**256 - 1))
            if far
            else self.dice.choice((0, 1, 4, 32, 33, 64, 96))
        )
        self.code.push(size)
        self.offset()

    def account(self) -> None:
        """An address on the stack."""
        if self.dice.random() < 0.1:
            self.code.op(self.dice.choice((Op.ADDRESS, Op.CALLER, Op.ORIGIN, Op.COINBASE)))
        elif self.dice.random() < 0.03:
            self.word(1)
        else:
            self.code.push(int.from_bytes(self.address(), "big"))

    def address(self) -> bytes:
        """Somebody's address."""
        match self.dice.randrange(12):
            case 0 | 1 | 2 | 3 | 4:
                return self.dice.choice(addresses.CONTRACTS)
            case 5:
                return self.dice.choice(addresses.SENDER_ADDRESSES)
            case 6:
                return self.dice.choice(addresses.AUTHORITY_ADDRESSES)
            case 7:
                return self.dice.choice(addresses.EMPTY_ACCOUNTS)
            case 8:
                return addresses.address(self.precompile())
            case 9:
                return self.dice.choice((addresses.ABSENT, addresses.COINBASE, addresses.SYSTEM))
            case 10:
                return self.dice.choice(
                    (
                        addresses.BEACON_ROOTS,
                        addresses.HISTORY,
                        addresses.WITHDRAWAL_REQUESTS,
                        addresses.DEPOSITS,
                    )
                )
            case _:
                return addresses.address(self.dice.choice((0, 1, 2, 3, 4, 9, 10, 17, 18, 256)))

    def precompile(self) -> int:
        """A precompile's number; the slow ones (pairings) are rare."""
        while True:
            number = self.dice.randint(1, newest_precompile(self.fork) + 1)
            if number in SLOW and self.dice.random() < 0.6:
                continue
            if self.dice.random() < (0.1 if self.fork >= Fork.OSAKA else 0.01):
                return P256_ADDRESS
            return number

    def _unary(self) -> Op:
        return self.pick(((Op.ISZERO, Fork.FRONTIER), (Op.NOT, Fork.FRONTIER), (Op.CLZ, Fork.OSAKA)))

    def _history(self) -> None:
        match self.dice.randrange(4):
            case 0 | 1:
                self.code.push(self.dice.randrange(1, 4))
                self.code.op(Op.NUMBER, Op.SUB, Op.BLOCKHASH)
            case 2 if self.known(Fork.CANCUN):
                self.code.push(self.dice.choice((0, 0, 1, 5, 2**64)))
                self.code.op(Op.BLOBHASH)
            case _ if self.known(Fork.CANCUN):
                self.slot()
                self.code.op(Op.TLOAD)
            case _:
                self.offset()
                self.code.op(Op.MLOAD)
