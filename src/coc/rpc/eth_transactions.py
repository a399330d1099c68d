"""Transactions and receipts, found by hash or by their place in a block."""

from __future__ import annotations

from typing import Final

import msgspec

from coc.primitives.types import format_data
from coc.rpc.block_refs import BLOCK_NUMBER, BlockNumber, find
from coc.rpc.jobs import Answer
from coc.rpc.methods import Context, Method
from coc.rpc.parameters import HASH32, UINT64, Parameter
from coc.rpc.ports import Chain


def by_hash(context: Context, transaction: bytes) -> Answer:
    """A transaction of the chain or of the pool, or null."""
    found = context.chain.find_transaction(transaction)
    if found is not None:
        return _raw_or_null(context.chain.transaction_json(*found))
    waiting = context.pool.get(transaction)
    return None if waiting is None else msgspec.Raw(waiting.json())


def by_block_hash(context: Context, block: bytes, index: int) -> Answer:
    """The transaction at an index of a block, or null."""
    return _at(context.chain, block, index)


def by_block_number(context: Context, ref: BlockNumber, index: int) -> Answer:
    """The transaction at an index of a block, or null."""
    block = find(context.chain, ref)
    return None if block is None else _at(context.chain, block, index)


def raw_by_hash(context: Context, transaction: bytes) -> Answer:
    """A transaction's canonical encoding, or null."""
    found = context.chain.find_transaction(transaction)
    if found is not None:
        return _data_or_null(context.chain.transaction_raw(*found))
    waiting = context.pool.get(transaction)
    return None if waiting is None else format_data(waiting.raw)


def raw_by_block_hash(context: Context, block: bytes, index: int) -> Answer:
    """The canonical encoding of the transaction at an index of a block, or null."""
    return _raw_at(context.chain, block, index)


def raw_by_block_number(context: Context, ref: BlockNumber, index: int) -> Answer:
    """The canonical encoding of the transaction at an index of a block, or null."""
    block = find(context.chain, ref)
    return None if block is None else _raw_at(context.chain, block, index)


def receipt(context: Context, transaction: bytes) -> Answer:
    """The receipt of a transaction that is in the chain, or null."""
    found = context.chain.find_transaction(transaction)
    return None if found is None else _raw_or_null(context.chain.receipt_json(*found))


def _at(chain: Chain, block: bytes, index: int) -> Answer:
    return _raw_or_null(chain.transaction_json(block, index)) if _holds(chain, block, index) else None


def _raw_at(chain: Chain, block: bytes, index: int) -> Answer:
    return _data_or_null(chain.transaction_raw(block, index)) if _holds(chain, block, index) else None


def _holds(chain: Chain, block: bytes, index: int) -> bool:
    count = chain.transaction_count(block)
    return count is not None and index < count


def _raw_or_null(text: bytes | None) -> Answer:
    return None if text is None else msgspec.Raw(text)


def _data_or_null(raw: bytes | None) -> Answer:
    return None if raw is None else format_data(raw)


_TRANSACTION: Final = Parameter("transaction hash", HASH32)
_BLOCK_HASH: Final = Parameter("block hash", HASH32)
_BLOCK_NUMBER: Final = Parameter("block", BLOCK_NUMBER)
_INDEX: Final = Parameter("index", UINT64)

METHODS: Final = (
    Method(
        "eth_getTransactionByHash",
        by_hash,
        (_TRANSACTION,),
        cost=2,
        returns="transaction or null",
        doc="A transaction of the chain, or one that waits in the pool.",
    ),
    Method(
        "eth_getTransactionByBlockHashAndIndex",
        by_block_hash,
        (_BLOCK_HASH, _INDEX),
        cost=2,
        returns="transaction or null",
        doc="The transaction at an index of a block.",
    ),
    Method(
        "eth_getTransactionByBlockNumberAndIndex",
        by_block_number,
        (_BLOCK_NUMBER, _INDEX),
        cost=2,
        returns="transaction or null",
        doc="The transaction at an index of a block.",
    ),
    Method(
        "eth_getRawTransactionByHash",
        raw_by_hash,
        (_TRANSACTION,),
        cost=2,
        returns="data or null",
        doc="A transaction's canonical encoding (EIP-2718).",
    ),
    Method(
        "eth_getRawTransactionByBlockHashAndIndex",
        raw_by_block_hash,
        (_BLOCK_HASH, _INDEX),
        cost=2,
        returns="data or null",
        doc="The canonical encoding of the transaction at an index of a block.",
    ),
    Method(
        "eth_getRawTransactionByBlockNumberAndIndex",
        raw_by_block_number,
        (_BLOCK_NUMBER, _INDEX),
        cost=2,
        returns="data or null",
        doc="The canonical encoding of the transaction at an index of a block.",
    ),
    Method(
        "eth_getTransactionReceipt",
        receipt,
        (_TRANSACTION,),
        cost=2,
        returns="receipt or null",
        doc="The receipt of a transaction that is in the chain.",
    ),
)
