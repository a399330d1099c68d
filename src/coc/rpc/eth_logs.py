"""`eth_getLogs`."""

from __future__ import annotations

from typing import Final

import msgspec

from coc.primitives.limits_rpc import RPC_LOG_ROWS_MAX
from coc.primitives.types import format_data
from coc.rpc.errors import block_not_found
from coc.rpc.jobs import Answer, Pooled
from coc.rpc.log_query import LOG_QUERY, LogQuery, block_range
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.parameters import Parameter
from coc.rpc.ports import Chain


def get_logs(context: Context, query: LogQuery) -> Answer:
    """All logs that match, in block order."""
    chain = context.chain
    if query.block is not None:
        block = query.block
        return Pooled(lambda: _of_block(chain, block, query))
    first, last = block_range(chain, query)
    return Pooled(
        lambda: msgspec.Raw(chain.logs_json(first, last, query.addresses, query.topics, RPC_LOG_ROWS_MAX))
    )


def _of_block(chain: Chain, block: bytes, query: LogQuery) -> msgspec.Raw:
    logs = chain.block_logs_json(block, query.addresses, query.topics)
    if logs is None:
        raise block_not_found(f"hash {format_data(block)}")
    return msgspec.Raw(logs)


METHODS: Final = (
    Method(
        "eth_getLogs",
        get_logs,
        (Parameter("filter", LOG_QUERY),),
        runs=Runs.POOLED,
        cost=20,
        returns="array of logs",
        doc="Logs that match addresses and topics, in a range of blocks or in one block.",
    ),
)
