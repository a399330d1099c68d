"""Installing, polling and removing filters for logs, blocks and pool arrivals."""

from __future__ import annotations

from typing import Final

import msgspec

from coc.primitives.frozen import replace
from coc.primitives.limits_rpc import RPC_LOG_ROWS_MAX
from coc.primitives.types import format_data, format_quantity
from coc.rpc.block_refs import ByNumber, number_of
from coc.rpc.errors import invalid_params, refused
from coc.rpc.filters import BlockFilter, LogFilter, Moves, PendingFilter, moves_since
from coc.rpc.jobs import Answer, Pooled
from coc.rpc.log_query import LOG_QUERY, LogQuery, block_range, removed_rows_of, rows_of
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.parameters import QUANTITY, Parameter
from coc.rpc.ports import Chain

_FROM_NOW_ON: Final = -1


def new_filter(context: Context, query: LogQuery) -> Answer:
    """Install a log filter."""
    if query.block is not None:
        raise invalid_params("a filter follows a range of blocks; for one block use eth_getLogs")
    installed = LogFilter(query, context.chain.head.hash)
    return format_quantity(context.filters.install(installed, context.now_ms))


def new_block_filter(context: Context) -> Answer:
    """Install a block filter."""
    installed = BlockFilter(context.chain.head.hash)
    return format_quantity(context.filters.install(installed, context.now_ms))


def new_pending_transaction_filter(context: Context) -> Answer:
    """Install a filter of pool arrivals."""
    cursor, _ = context.pool.arrivals(_FROM_NOW_ON)
    return format_quantity(context.filters.install(PendingFilter(cursor), context.now_ms))


def get_filter_changes(context: Context, filter_id: int) -> Answer:
    """What has come since the last poll."""
    installed = context.filters.poll(filter_id, context.now_ms)
    if isinstance(installed, PendingFilter):
        installed.cursor, arrived = context.pool.arrivals(installed.cursor)
        return [format_data(transaction) for transaction in arrived]
    moves = moves_since(context.chain, installed.seen)
    if isinstance(installed, BlockFilter):
        installed.seen = _last_seen(context.chain, moves)
        return [format_data(block) for block in moves.added]
    return _log_changes(context, installed, moves)


def get_filter_logs(context: Context, filter_id: int) -> Answer:
    """All logs of a log filter's range."""
    installed = context.filters.poll(filter_id, context.now_ms)
    if not isinstance(installed, LogFilter):
        raise refused("filter not found: it is not a log filter")
    chain, query = context.chain, installed.query
    if isinstance(query.last, ByNumber):
        query = replace(query, last=ByNumber(min(query.last.number, chain.head.number)))
    if number_of(chain, query.first) > number_of(chain, query.last):
        return []  # the range lies ahead of the head
    first, last = block_range(chain, query)
    return Pooled(
        lambda: msgspec.Raw(chain.logs_json(first, last, query.addresses, query.topics, RPC_LOG_ROWS_MAX))
    )


def uninstall_filter(context: Context, filter_id: int) -> Answer:
    """Forget a filter."""
    return context.filters.uninstall(filter_id)


def _log_changes(context: Context, installed: LogFilter, moves: Moves) -> Answer:
    """Read the logs on the pool; the filter moves on when they are there, so a failure loses nothing."""
    if not moves.removed and not moves.added:
        return []
    chain, query, seen = context.chain, installed.query, installed.seen
    reached = _last_seen(chain, moves)

    def move_on(rows: list[msgspec.Raw]) -> Answer:
        if installed.seen != seen:
            return []  # another poll of this filter ran beside this one and has brought the same logs
        installed.seen = reached
        return rows

    return Pooled(lambda: _changed_rows(chain, query, moves), move_on)


def _changed_rows(chain: Chain, query: LogQuery, moves: Moves) -> list[msgspec.Raw]:
    rows: list[msgspec.Raw] = []
    for block in moves.removed:
        logs = chain.block_logs_json(block, query.addresses, query.topics)
        rows += [] if logs is None else removed_rows_of(logs)
    lowest = query.first.number if isinstance(query.first, ByNumber) else 0
    highest = query.last.number if isinstance(query.last, ByNumber) else None
    for number, block in enumerate(moves.added, moves.first_number):
        if number >= lowest and (highest is None or number <= highest):
            logs = chain.block_logs_json(block, query.addresses, query.topics)
            rows += [] if logs is None else rows_of(logs)
    return rows


def _last_seen(chain: Chain, moves: Moves) -> bytes:
    """The newest block of the moves; after a pure removal, the ancestor that stayed."""
    if moves.added:
        return moves.added[-1]
    return chain.canonical_hash(moves.first_number - 1) or chain.head.hash


_FILTER_ID: Final = (Parameter("filter id", QUANTITY),)

METHODS: Final[tuple[Method, ...]] = (
    Method(
        "eth_newFilter",
        new_filter,
        (Parameter("filter", LOG_QUERY),),
        returns="quantity, the filter's id",
        doc="Install a filter for logs of blocks to come.",
    ),
    Method(
        "eth_newBlockFilter",
        new_block_filter,
        returns="quantity, the filter's id",
        doc="Install a filter for the hashes of blocks to come.",
    ),
    Method(
        "eth_newPendingTransactionFilter",
        new_pending_transaction_filter,
        returns="quantity, the filter's id",
        doc="Install a filter for the hashes of transactions that enter the pool.",
    ),
    Method(
        "eth_getFilterChanges",
        get_filter_changes,
        _FILTER_ID,
        runs=Runs.POOLED,
        cost=5,
        returns="array of logs or of hashes",
        doc="What has come since the last poll; logs that a reorganisation took back are marked removed.",
    ),
    Method(
        "eth_getFilterLogs",
        get_filter_logs,
        _FILTER_ID,
        runs=Runs.POOLED,
        cost=20,
        returns="array of logs",
        doc="All logs of an installed log filter's range.",
    ),
    Method(
        "eth_uninstallFilter",
        uninstall_filter,
        _FILTER_ID,
        returns="boolean, whether it was installed",
        doc="Forget a filter.",
    ),
)
