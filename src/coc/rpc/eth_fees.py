"""Prices: gas, priority fee, blob gas, and their history."""

from __future__ import annotations

from typing import Final

import msgspec

from coc.primitives.limits_rpc import RPC_FEE_HISTORY_BLOCKS_MAX, RPC_FEE_HISTORY_PERCENTILES_MAX
from coc.primitives.types import format_quantity
from coc.rpc.block_refs import BLOCK_NUMBER, BlockNumber, resolve
from coc.rpc.errors import invalid_params
from coc.rpc.jobs import Answer, Pooled
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.parameters import COUNT, PERCENTILES, Parameter


def gas_price(context: Context) -> Answer:
    """What a legacy transaction should pay to be in the next block.

    Clients estimate gas at this price on the head's state, so it is not below the head's own base fee either.
    """
    chain = context.chain
    own = chain.head.base_fee_per_gas
    base_fee = 0 if own is None else max(own, chain.next_base_fee(chain.head.hash))
    return format_quantity(base_fee + context.fees.priority_fee(chain))


def max_priority_fee_per_gas(context: Context) -> Answer:
    """The suggested tip."""
    return format_quantity(context.fees.priority_fee(context.chain))


def blob_base_fee(context: Context) -> Answer:
    """The price of blob gas in the next block; 0 before Cancun."""
    head = context.chain.head
    return format_quantity(0 if head.excess_blob_gas is None else context.chain.next_blob_base_fee(head.hash))


def fee_history(context: Context, count: int, newest: BlockNumber, percentiles: list[float]) -> Answer:
    """Base fees, use of gas and tips of a run of blocks that ends with `newest`."""
    if len(percentiles) > RPC_FEE_HISTORY_PERCENTILES_MAX:
        raise invalid_params(
            f"{len(percentiles)} percentiles where {RPC_FEE_HISTORY_PERCENTILES_MAX} are allowed"
            " (RPC_FEE_HISTORY_PERCENTILES_MAX)"
        )
    chain = context.chain
    block = resolve(chain, newest)
    if count == 0:
        return {"oldestBlock": "0x0", "baseFeePerGas": [], "gasUsedRatio": []}
    header = chain.header(block)
    available = 1 if header is None else header.number + 1
    blocks = min(count, RPC_FEE_HISTORY_BLOCKS_MAX, available)
    return Pooled(lambda: _history(chain.fee_history_json(block, blocks, percentiles)))


def _history(written: bytes) -> Answer:
    """The history, without its two members about blobs where none was used and none cost anything.

    Clients from before blobs, and the tests of execution-apis of that time, know only the other members.
    """
    members = msgspec.json.decode(written, type=dict[str, msgspec.Raw])
    prices, used = members.get(_BLOB_PRICES), members.get(_BLOB_USE)
    if prices is not None and used is not None:
        costs = any(
            price not in _BLOB_PRICES_AT_REST for price in msgspec.json.decode(prices, type=list[str])
        )
        if not costs and not any(msgspec.json.decode(used, type=list[float])):
            del members[_BLOB_PRICES], members[_BLOB_USE]
    return members


_BLOB_PRICES: Final = "baseFeePerBlobGas"
_BLOB_USE: Final = "blobGasUsedRatio"
_BLOB_PRICES_AT_REST: Final = frozenset({"0x0", "0x1"})

METHODS: Final = (
    Method(
        "eth_gasPrice",
        gas_price,
        cost=2,
        returns="quantity, wei",
        doc="Base fee of the next block plus the suggested tip.",
    ),
    Method(
        "eth_maxPriorityFeePerGas",
        max_priority_fee_per_gas,
        cost=2,
        returns="quantity, wei",
        doc="The suggested tip: what recent blocks paid, or the default on a quiet chain.",
    ),
    Method(
        "eth_blobBaseFee",
        blob_base_fee,
        returns="quantity, wei",
        doc="The price of blob gas in the next block.",
    ),
    Method(
        "eth_feeHistory",
        fee_history,
        (
            Parameter("block count", COUNT),
            Parameter("newest block", BLOCK_NUMBER),
            Parameter("percentiles", PERCENTILES, default=[]),
        ),
        runs=Runs.POOLED,
        cost=10,
        returns="{oldestBlock, baseFeePerGas, gasUsedRatio, reward, …}",
        doc="Base fees, use of gas and tips of a run of blocks.",
    ),
)
