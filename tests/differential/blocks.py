"""Blocks as data: headers by field name, bodies as RLP items, and their encodings."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

from . import eels, rlp

HeaderFields: TypeAlias = "dict[str, bytes | int]"
"""A header by field name, in encoding order. Integers are quantities, everything else raw bytes."""

EMPTY_OMMERS_HASH = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it."""
    return bytes(eels.hashing.keccak256(data))


@dataclasses.dataclass(frozen=True, slots=True)
class BlockBody:
    """Transactions and ommers as RLP items, withdrawals likewise (None before Shanghai)."""

    transactions: tuple[rlp.Item, ...] = ()
    ommers: tuple[rlp.Item, ...] = ()
    withdrawals: tuple[rlp.Item, ...] | None = None

    def encode(self, fields: HeaderFields) -> bytes:
        """RLP of the whole block."""
        return rlp.encode(self.item(encode_header(fields)))

    def item(self, header: rlp.Item) -> list[rlp.Item]:
        """The block as nested lists."""
        tail = [] if self.withdrawals is None else [self.withdrawals]
        return [header, self.transactions, self.ommers, *tail]


def encode_header(fields: HeaderFields) -> list[rlp.Item]:
    """A header's fields as RLP items."""
    return [rlp.quantity(value) if isinstance(value, int) else value for value in fields.values()]


def header_hash(fields: HeaderFields) -> bytes:
    """Hash of the block with this header."""
    return keccak256(rlp.encode(encode_header(fields)))


def quantity_in(fields: HeaderFields, name: str) -> int:
    """A header field that is a number."""
    value = fields[name]
    assert isinstance(value, int)
    return value
