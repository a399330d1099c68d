"""Which logs a client asks for: addresses, topics and a range or one block, as in `eth_getLogs`.

An empty list of addresses, and an empty list at a topic position, mean "any". A null, an empty list and a
list that contains null are three spellings of it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from coc.primitives.errors import quoted
from coc.primitives.frozen import frozen
from coc.primitives.limits_rpc import (
    RPC_LOG_ADDRESSES_MAX,
    RPC_LOG_BLOCKS_MAX,
    RPC_LOG_TOPIC_POSITIONS_MAX,
    RPC_LOG_TOPICS_MAX,
)
from coc.rpc.block_refs import BlockNumber, Tag, decode_block_number, number_of
from coc.rpc.errors import invalid_params, limit_exceeded
from coc.rpc.parameters import (
    Kind,
    ParameterInvalid,
    decode_address,
    decode_hash32,
    decode_list,
    decode_object,
)
from coc.rpc.ports import Chain

_KEYS: Final = frozenset({"address", "topics", "fromBlock", "toBlock", "blockHash", "limit"})


@frozen
class LogQuery:
    """One block by hash where `block` is set, otherwise a range with both ends included."""

    addresses: list[bytes]
    topics: list[list[bytes]]
    first: BlockNumber = Tag.LATEST
    last: BlockNumber = Tag.LATEST
    block: bytes | None = None


def decode_log_query(value: object) -> LogQuery:
    """Read a filter object."""
    members = decode_object(value)
    unknown = members.keys() - _KEYS
    if unknown:
        raise ParameterInvalid(f"unknown member {quoted(min(unknown))} in a log filter")
    first, last, block = members.get("fromBlock"), members.get("toBlock"), members.get("blockHash")
    if block is not None and (first is not None or last is not None):
        raise ParameterInvalid("cannot specify both blockHash and fromBlock/toBlock, choose one or the other")
    return LogQuery(
        addresses=_addresses(members.get("address")),
        topics=_topics(members.get("topics")),
        first=Tag.LATEST if first is None else decode_block_number(first),
        last=Tag.LATEST if last is None else decode_block_number(last),
        block=None if block is None else decode_hash32(block),
    )


def block_range(chain: Chain, query: LogQuery) -> tuple[int, int]:
    """First and last block number of a range query, as the chain stands.

    Raises:
        CallError: -32602 for a range that runs backwards or beyond the head, -32005 for one that is too long.
    """
    first, last = number_of(chain, query.first), number_of(chain, query.last)
    if first > last:
        raise invalid_params(f"invalid block range params: from {first} to {last}")
    head = chain.head.number
    if last > head:
        raise invalid_params(f"block range extends beyond current head block: to {last}, head {head}")
    if last - first >= RPC_LOG_BLOCKS_MAX:
        raise limit_exceeded(
            f"{last - first + 1} blocks where {RPC_LOG_BLOCKS_MAX} are allowed (RPC_LOG_BLOCKS_MAX);"
            " ask in smaller ranges"
        )
    return first, last


def rows_of(logs: bytes) -> list[msgspec.Raw]:
    """The logs of a JSON array, unread."""
    return msgspec.json.decode(logs, type=list[msgspec.Raw])


def removed_rows_of(logs: bytes) -> list[msgspec.Raw]:
    """The logs of a JSON array, marked as removed by a reorganisation."""
    rows = msgspec.json.decode(logs, type=list[dict[str, msgspec.Raw]])
    removed = msgspec.Raw(b"true")
    return [msgspec.Raw(msgspec.json.encode(row | {"removed": removed})) for row in rows]


def _addresses(value: object) -> list[bytes]:
    if value is None:
        return []
    if isinstance(value, str):
        return [decode_address(value)]
    entries = decode_list(value)
    if len(entries) > RPC_LOG_ADDRESSES_MAX:
        raise ParameterInvalid(
            f"{len(entries)} addresses where {RPC_LOG_ADDRESSES_MAX} are allowed (RPC_LOG_ADDRESSES_MAX)"
        )
    return [decode_address(entry) for entry in entries]


def _topics(value: object) -> list[list[bytes]]:
    if value is None:
        return []
    positions = decode_list(value)
    if len(positions) > RPC_LOG_TOPIC_POSITIONS_MAX:
        raise ParameterInvalid(
            f"a log has at most {RPC_LOG_TOPIC_POSITIONS_MAX} topics, got {len(positions)} positions"
        )
    return [_alternatives(position) for position in positions]


def _alternatives(position: object) -> list[bytes]:
    if position is None:
        return []
    if isinstance(position, str):
        return [decode_hash32(position)]
    entries = decode_list(position)
    if len(entries) > RPC_LOG_TOPICS_MAX:
        raise ParameterInvalid(
            f"{len(entries)} topics where {RPC_LOG_TOPICS_MAX} are allowed (RPC_LOG_TOPICS_MAX)"
        )
    wanted = [None if entry is None else decode_hash32(entry) for entry in entries]
    return [] if None in wanted else [topic for topic in wanted if topic is not None]


LOG_QUERY: Final = Kind("log filter", decode_log_query)
