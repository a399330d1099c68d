"""A small EVM assembler: opcodes, pushes, labels, and data placed behind the code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Op(IntEnum):
    """Opcodes the programs use by name."""

    STOP = 0x00
    ADD = 0x01
    MUL = 0x02
    SUB = 0x03
    DIV = 0x04
    SDIV = 0x05
    MOD = 0x06
    SMOD = 0x07
    ADDMOD = 0x08
    MULMOD = 0x09
    EXP = 0x0A
    SIGNEXTEND = 0x0B
    LT = 0x10
    GT = 0x11
    SLT = 0x12
    SGT = 0x13
    EQ = 0x14
    ISZERO = 0x15
    AND = 0x16
    OR = 0x17
    XOR = 0x18
    NOT = 0x19
    BYTE = 0x1A
    SHL = 0x1B
    SHR = 0x1C
    SAR = 0x1D
    CLZ = 0x1E
    KECCAK256 = 0x20
    ADDRESS = 0x30
    BALANCE = 0x31
    ORIGIN = 0x32
    CALLER = 0x33
    CALLVALUE = 0x34
    CALLDATALOAD = 0x35
    CALLDATASIZE = 0x36
    CALLDATACOPY = 0x37
    CODESIZE = 0x38
    CODECOPY = 0x39
    GASPRICE = 0x3A
    EXTCODESIZE = 0x3B
    EXTCODECOPY = 0x3C
    RETURNDATASIZE = 0x3D
    RETURNDATACOPY = 0x3E
    EXTCODEHASH = 0x3F
    BLOCKHASH = 0x40
    COINBASE = 0x41
    TIMESTAMP = 0x42
    NUMBER = 0x43
    DIFFICULTY = 0x44
    GASLIMIT = 0x45
    CHAINID = 0x46
    SELFBALANCE = 0x47
    BASEFEE = 0x48
    BLOBHASH = 0x49
    BLOBBASEFEE = 0x4A
    POP = 0x50
    MLOAD = 0x51
    MSTORE = 0x52
    MSTORE8 = 0x53
    SLOAD = 0x54
    SSTORE = 0x55
    JUMP = 0x56
    JUMPI = 0x57
    PC = 0x58
    MSIZE = 0x59
    GAS = 0x5A
    JUMPDEST = 0x5B
    TLOAD = 0x5C
    TSTORE = 0x5D
    MCOPY = 0x5E
    PUSH0 = 0x5F
    PUSH1 = 0x60
    DUP1 = 0x80
    SWAP1 = 0x90
    LOG0 = 0xA0
    CREATE = 0xF0
    CALL = 0xF1
    CALLCODE = 0xF2
    RETURN = 0xF3
    DELEGATECALL = 0xF4
    CREATE2 = 0xF5
    STATICCALL = 0xFA
    REVERT = 0xFD
    INVALID = 0xFE
    SELFDESTRUCT = 0xFF


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the program."""

    number: int


class Assembler:
    """Collects a program; labels become two-byte pushes when it is finished."""

    def __init__(self) -> None:
        self._parts: list[bytes | Label] = []
        self._places: dict[Label, int] = {}
        self._data: list[tuple[Label, bytes]] = []
        self._length = 0

    def op(self, *ops: int) -> None:
        """Append opcodes."""
        self.raw(bytes(ops))

    def raw(self, code: bytes) -> None:
        """Append bytes as they are."""
        self._parts.append(code)
        self._length += len(code)

    def push(self, value: int) -> None:
        """Push a number by the shortest instruction that every fork knows."""
        size = max(1, (value.bit_length() + 7) // 8)
        self.raw(bytes([Op.PUSH1 - 1 + size]) + value.to_bytes(size, "big"))

    def label(self) -> Label:
        """A label without a place yet."""
        label = Label(len(self._places))
        self._places[label] = -1
        return label

    def push_label(self, label: Label) -> None:
        """Push where the label will be."""
        self._parts.append(label)
        self._length += 3

    def place(self, label: Label) -> None:
        """The label stands here."""
        self._places[label] = self._length

    def data(self, content: bytes) -> Label:
        """Put bytes behind the code and return where they start."""
        label = self.label()
        self._data.append((label, content))
        return label

    def finish(self) -> bytes:
        """The program's bytes."""
        tail, length = b"", self._length
        for label, content in self._data:
            self._places[label] = length + len(tail)
            tail += content
        code = b""
        for part in self._parts:
            if isinstance(part, Label):
                code += bytes([Op.PUSH1 + 1]) + self._places[part].to_bytes(2, "big")
            else:
                code += part
        return code + tail
