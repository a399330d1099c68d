"""`debug_getRaw*`: consensus encodings, as the chain stores and hashes them."""

from __future__ import annotations

from typing import Final

from coc.primitives.types import format_data
from coc.rpc.block_refs import BLOCK, BlockRef, describe, resolve
from coc.rpc.errors import Json, block_not_found
from coc.rpc.eth_transactions import raw_by_hash
from coc.rpc.jobs import Answer, Pooled
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.parameters import HASH32, Parameter


def raw_header(context: Context, ref: BlockRef) -> Answer:
    """RLP of a header."""
    return _data(context.chain.header_rlp(resolve(context.chain, ref)), ref)


def raw_block(context: Context, ref: BlockRef) -> Answer:
    """RLP of a block."""
    chain = context.chain
    block = resolve(chain, ref)
    return Pooled(lambda: _data(chain.block_rlp(block), ref))


def raw_receipts(context: Context, ref: BlockRef) -> Answer:
    """Canonical encodings of a block's receipts."""
    chain = context.chain
    block = resolve(chain, ref)

    def read() -> Answer:
        receipts = chain.receipts_raw(block)
        if receipts is None:
            raise block_not_found(describe(ref))
        encodings: list[Json] = [format_data(receipt) for receipt in receipts]
        return encodings

    return Pooled(read)


def _data(raw: bytes | None, ref: BlockRef) -> Answer:
    if raw is None:
        raise block_not_found(describe(ref))
    return format_data(raw)


_BLOCK: Final = (Parameter("block", BLOCK),)

METHODS: Final = (
    Method("debug_getRawHeader", raw_header, _BLOCK, cost=2, returns="data", doc="RLP of a block's header."),
    Method(
        "debug_getRawBlock",
        raw_block,
        _BLOCK,
        runs=Runs.POOLED,
        cost=4,
        returns="data",
        doc="RLP of a whole block.",
    ),
    Method(
        "debug_getRawReceipts",
        raw_receipts,
        _BLOCK,
        runs=Runs.POOLED,
        cost=8,
        returns="array of data",
        doc="Canonical encodings of a block's receipts.",
    ),
    Method(
        "debug_getRawTransaction",
        raw_by_hash,
        (Parameter("transaction hash", HASH32),),
        cost=2,
        returns="data or null",
        doc="Canonical encoding of a transaction of the chain or the pool.",
    ),
)
