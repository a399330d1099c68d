"""`txpool_*`: what waits, by sender and nonce. *Pending* can be in the next block, *queued* cannot yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from coc.primitives.limits_rpc import RPC_POOL_ROWS_MAX
from coc.primitives.types import format_data, format_quantity
from coc.rpc.errors import Json, limit_exceeded
from coc.rpc.jobs import Answer
from coc.rpc.methods import Context, Method
from coc.rpc.parameters import ADDRESS, Parameter
from coc.rpc.ports import PooledTransaction


def status(context: Context) -> Answer:
    """How many wait."""
    pending, queued = context.pool.counts()
    return {"pending": format_quantity(pending), "queued": format_quantity(queued)}


def content(context: Context) -> Answer:
    """Every waiting transaction."""
    return _listing(context, _whole)


def inspect(context: Context) -> Answer:
    """Every waiting transaction in one line each."""
    return _listing(context, _line)


def content_from(context: Context, address: bytes) -> Answer:
    """Every waiting transaction of one sender."""
    return {
        "pending": _by_nonce(context.pool.pending_of(address), _whole),
        "queued": _by_nonce(context.pool.queued_of(address), _whole),
    }


def _listing(context: Context, shown: Callable[[PooledTransaction], Json]) -> Answer:
    pool = context.pool
    rows = sum(pool.counts())
    if rows > RPC_POOL_ROWS_MAX:
        raise limit_exceeded(
            f"{rows} transactions wait where {RPC_POOL_ROWS_MAX} can be listed (RPC_POOL_ROWS_MAX);"
            " use txpool_contentFrom"
        )
    pending: dict[str, Json] = {}
    queued: dict[str, Json] = {}
    for sender in pool.senders():
        for into, waiting in ((pending, pool.pending_of(sender)), (queued, pool.queued_of(sender))):
            if waiting:
                into[format_data(sender)] = _by_nonce(waiting, shown)
    return {"pending": pending, "queued": queued}


def _by_nonce(
    waiting: Sequence[PooledTransaction], shown: Callable[[PooledTransaction], Json]
) -> dict[str, Json]:
    return {str(transaction.nonce): shown(transaction) for transaction in waiting}


def _whole(transaction: PooledTransaction) -> Json:
    return msgspec.Raw(transaction.json())


def _line(transaction: PooledTransaction) -> Json:
    """go-ethereum's line: to, value, gas and price."""
    to = "contract creation" if transaction.to is None else format_data(transaction.to)
    price = transaction.max_fee_per_gas
    return f"{to}: {transaction.value} wei + {transaction.gas_limit} gas × {price} wei"


METHODS: Final = (
    Method("txpool_status", status, returns="{pending, queued}", doc="How many transactions wait."),
    Method(
        "txpool_content",
        content,
        cost=20,
        returns="{pending, queued}: sender to nonce to transaction",
        doc="Every waiting transaction.",
    ),
    Method(
        "txpool_contentFrom",
        content_from,
        (Parameter("address", ADDRESS),),
        cost=5,
        returns="{pending, queued}: nonce to transaction",
        doc="Every waiting transaction of one sender.",
    ),
    Method(
        "txpool_inspect",
        inspect,
        cost=20,
        returns="{pending, queued}: sender to nonce to text",
        doc="Every waiting transaction in one line each.",
    ),
)
