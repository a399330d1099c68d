"""The machine that keeps installed filters: what each asks for, how far it has read, when it is forgotten.

A filter is a cursor, not a queue: it remembers the last block (or pool arrival) its owner has seen, and a
poll reads what has come since from the chain. So an idle filter costs nothing, nothing can overflow, and a
reorganisation shows as blocks to take back and blocks to add.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.limits_rpc import RPC_FILTER_BLOCKS_MAX, RPC_FILTER_IDLE_MS, RPC_FILTERS_MAX
from coc.rpc.errors import limit_exceeded, refused
from coc.rpc.log_query import LogQuery
from coc.rpc.ports import Chain


@dataclass(slots=True)
class LogFilter:
    """Logs that match a query, in blocks after `seen`."""

    query: LogQuery
    seen: bytes


@dataclass(slots=True)
class BlockFilter:
    """Hashes of blocks after `seen`."""

    seen: bytes


@dataclass(slots=True)
class PendingFilter:
    """Hashes of transactions admitted to the pool after `cursor`."""

    cursor: int


Filter: TypeAlias = LogFilter | BlockFilter | PendingFilter


@frozen
class Moves:
    """The way from the block last seen to the head.

    Hashes to take back, newest first, then hashes to add with the number of the first.
    """

    removed: list[bytes]
    first_number: int
    added: list[bytes]


class FilterBook:
    """The installed filters, the one polled longest ago first."""

    __slots__ = ("_entries", "_new_id")

    def __init__(self, new_id: Callable[[], int]) -> None:
        """`new_id` draws ids that other clients cannot guess; an id in use is drawn again."""
        self._entries: OrderedDict[int, tuple[Filter, int]] = OrderedDict()
        self._new_id = new_id

    def __len__(self) -> int:
        return len(self._entries)

    def expire(self, now_ms: int) -> None:
        """Forget filters that nobody has polled for `RPC_FILTER_IDLE_MS`."""
        entries = self._entries
        while entries:
            filter_id, (_, polled_ms) = next(iter(entries.items()))
            if now_ms - polled_ms < RPC_FILTER_IDLE_MS:
                return
            del entries[filter_id]

    def install(self, installed: Filter, now_ms: int) -> int:
        """Keep a filter and name it.

        Raises:
            CallError: -32005 when `RPC_FILTERS_MAX` are installed.
        """
        if len(self._entries) >= RPC_FILTERS_MAX:
            raise limit_exceeded(
                f"{RPC_FILTERS_MAX} filters are installed (RPC_FILTERS_MAX);"
                " uninstall one, or wait until idle ones expire"
            )
        filter_id = self._new_id()
        while filter_id in self._entries:
            filter_id = self._new_id()
        self._entries[filter_id] = (installed, now_ms)
        return filter_id

    def poll(self, filter_id: int, now_ms: int) -> Filter:
        """The filter of that id, which counts as used now.

        Raises:
            CallError: -32000 when there is none: never installed, uninstalled or expired.
        """
        entry = self._entries.get(filter_id)
        if entry is None:
            raise refused("filter not found")
        self._entries[filter_id] = (entry[0], now_ms)
        self._entries.move_to_end(filter_id)
        return entry[0]

    def uninstall(self, filter_id: int) -> bool:
        """Forget a filter; whether there was one."""
        return self._entries.pop(filter_id, None) is not None


def moves_since(chain: Chain, seen: bytes) -> Moves:
    """The way from `seen` to the head, at most `RPC_FILTER_BLOCKS_MAX` blocks forward.

    Raises:
        CallError: -32000 when the chain has left `seen` further behind than it keeps.
    """
    removed: list[bytes] = []
    header = chain.header(seen)
    while header is not None and chain.canonical_hash(header.number) != header.hash:
        removed.append(header.hash)
        header = chain.header(header.parent_hash) if len(removed) <= RPC_FILTER_BLOCKS_MAX else None
    if header is None:
        raise refused("the block that the filter last saw is gone; install the filter again")
    first = header.number + 1
    added: list[bytes] = []
    for number in range(first, min(chain.head.number, header.number + RPC_FILTER_BLOCKS_MAX) + 1):
        block = chain.canonical_hash(number)
        if block is None:
            break
        added.append(block)
    return Moves(removed, first, added)
