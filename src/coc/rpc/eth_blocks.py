"""Blocks: whole, their counts, their receipts and their uncles."""

from __future__ import annotations

from typing import Final

import msgspec

from coc.primitives.types import format_quantity
from coc.rpc.block_refs import BLOCK, BLOCK_NUMBER, BlockNumber, BlockRef, Tag, find
from coc.rpc.jobs import Answer, Pooled
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.parameters import BOOLEAN, HASH32, UINT64, Parameter


def get_block_by_hash(context: Context, block: bytes, full: bool) -> Answer:
    """A block by hash, or null."""
    return _block(context, block, full)


def get_block_by_number(context: Context, ref: BlockNumber, full: bool) -> Answer:
    """A block by number or tag, or null; no block is kept half-built, so `pending` is null."""
    if ref is Tag.PENDING:
        return None
    return _block(context, find(context.chain, ref), full)


def count_by_hash(context: Context, block: bytes) -> Answer:
    """How many transactions a block has, or null."""
    return _quantity_or_null(context.chain.transaction_count(block))


def count_by_number(context: Context, ref: BlockNumber) -> Answer:
    """How many transactions a block has; for `pending`, how many wait for the next block."""
    if ref is Tag.PENDING:
        pending, _ = context.pool.counts()
        return format_quantity(pending)
    block = find(context.chain, ref)
    return None if block is None else _quantity_or_null(context.chain.transaction_count(block))


def uncle_count_by_hash(context: Context, block: bytes) -> Answer:
    """How many uncles a block has, or null."""
    return _quantity_or_null(context.chain.uncle_count(block))


def uncle_count_by_number(context: Context, ref: BlockNumber) -> Answer:
    """How many uncles a block has, or null."""
    block = find(context.chain, ref)
    return None if block is None else _quantity_or_null(context.chain.uncle_count(block))


def uncle_by_hash(context: Context, block: bytes, index: int) -> Answer:
    """An uncle by its index in the nephew, or null."""
    return _uncle(context, block, index)


def uncle_by_number(context: Context, ref: BlockNumber, index: int) -> Answer:
    """An uncle by its index in the nephew, or null."""
    block = find(context.chain, ref)
    return None if block is None else _uncle(context, block, index)


def get_block_receipts(context: Context, ref: BlockRef) -> Answer:
    """All receipts of a block, or null."""
    chain = context.chain
    block = find(chain, ref)
    if block is None or ref is Tag.PENDING:
        return None

    def read() -> Answer:
        receipts = chain.receipts_json(block)
        return None if receipts is None else msgspec.Raw(receipts)

    return Pooled(read)


def _block(context: Context, block: bytes | None, full: bool) -> Answer:
    if block is None:
        return None
    chain = context.chain
    if full:
        return Pooled(lambda: _raw_or_null(chain.block_json(block, True)))
    return _raw_or_null(chain.block_json(block, False))


def _uncle(context: Context, block: bytes, index: int) -> Answer:
    count = context.chain.uncle_count(block)
    return None if count is None or index >= count else _raw_or_null(context.chain.uncle_json(block, index))


def _raw_or_null(text: bytes | None) -> Answer:
    return None if text is None else msgspec.Raw(text)


def _quantity_or_null(count: int | None) -> Answer:
    return None if count is None else format_quantity(count)


_HASH: Final = Parameter("block hash", HASH32)
_NUMBER: Final = Parameter("block", BLOCK_NUMBER)
_FULL: Final = Parameter("full transactions", BOOLEAN, default=False)
_INDEX: Final = Parameter("index", UINT64)

METHODS: Final = (
    Method(
        "eth_getBlockByHash",
        get_block_by_hash,
        (_HASH, _FULL),
        runs=Runs.POOLED,
        cost=4,
        returns="block or null",
        doc="A block by its hash, with hashes of its transactions or the whole of them.",
    ),
    Method(
        "eth_getBlockByNumber",
        get_block_by_number,
        (_NUMBER, _FULL),
        runs=Runs.POOLED,
        cost=4,
        returns="block or null",
        doc="A block by number or tag; `pending` is null, since no block is kept half-built.",
    ),
    Method(
        "eth_getBlockTransactionCountByHash",
        count_by_hash,
        (_HASH,),
        returns="quantity or null",
        doc="How many transactions a block has.",
    ),
    Method(
        "eth_getBlockTransactionCountByNumber",
        count_by_number,
        (_NUMBER,),
        returns="quantity or null",
        doc="How many transactions a block has; for `pending`, how many wait for the next one.",
    ),
    Method(
        "eth_getUncleCountByBlockHash",
        uncle_count_by_hash,
        (_HASH,),
        returns="quantity or null",
        doc="How many uncles a block has.",
    ),
    Method(
        "eth_getUncleCountByBlockNumber",
        uncle_count_by_number,
        (_NUMBER,),
        returns="quantity or null",
        doc="How many uncles a block has.",
    ),
    Method(
        "eth_getUncleByBlockHashAndIndex",
        uncle_by_hash,
        (_HASH, _INDEX),
        cost=2,
        returns="block without transactions, or null",
        doc="An uncle by its index in the block that rewards it.",
    ),
    Method(
        "eth_getUncleByBlockNumberAndIndex",
        uncle_by_number,
        (_NUMBER, _INDEX),
        cost=2,
        returns="block without transactions, or null",
        doc="An uncle by its index in the block that rewards it.",
    ),
    Method(
        "eth_getBlockReceipts",
        get_block_receipts,
        (Parameter("block", BLOCK),),
        runs=Runs.POOLED,
        cost=8,
        returns="array of receipts, or null",
        doc="All receipts of a block, in order.",
    ),
)
