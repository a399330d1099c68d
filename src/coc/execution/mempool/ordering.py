"""In what order a builder sees what waits: by effective tip, then arrival, each sender's nonces in turn.

The first runnable transaction of every sender is sorted once; what follows in a sender's queue joins a heap
when its predecessor has been handed out, and the two are merged. A sender is done for this block at its first
transaction that cannot run: a gap, a cap below the price, too much gas, or a balance that no longer covers
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush, heapreplace
from typing import TypeAlias

from coc.execution.mempool.entry import Entry, effective_tip
from coc.execution.mempool.inputs import Head
from coc.execution.mempool.sender import SenderQueue

_Place: TypeAlias = tuple[int, int, Entry, int]
"""Minus the effective tip in wei a gas, arrival, the entry, and the wei its sender has left after it."""


def best(queues: Iterable[SenderQueue], head: Head) -> Iterator[Entry]:
    """What can run in the child of `head`, best first; the pool must not change meanwhile."""
    firsts: list[_Place] = []
    for queue in queues:
        entry = queue.entries.get(queue.account.nonce)
        if entry is not None:
            place = _place(entry, queue.account.balance, head)
            if place is not None:
                firsts.append(place)
    firsts.sort()
    followers: list[_Place] = []
    for first in firsts:
        while followers and followers[0] < first:
            yield _hand_out(followers, head)
        entry = first[2]
        yield entry
        following = _following(first, head)
        if following is not None:
            heappush(followers, following)
    while followers:
        yield _hand_out(followers, head)


def _hand_out(followers: list[_Place], head: Head) -> Entry:
    """Take the best follower and put its own successor in its place."""
    place = followers[0]
    following = _following(place, head)
    if following is None:
        heappop(followers)
    else:
        heapreplace(followers, following)
    return place[2]


def _following(place: _Place, head: Head) -> _Place | None:
    entry = place[2]
    successor = entry.queue.entries.get(entry.nonce + 1)
    return None if successor is None else _place(successor, place[3], head)


def _place(entry: Entry, funds: int, head: Head) -> _Place | None:
    """The entry's place in the order, or `None` when it cannot run in this block."""
    funds -= entry.cost
    if (
        funds < 0
        or entry.fee_cap < head.base_fee
        or entry.gas_limit > head.gas_limit
        or (entry.is_blob and entry.blob_fee_cap < head.blob_base_fee)
    ):
        return None
    return -effective_tip(entry.fee_cap, entry.tip_cap, head.base_fee), entry.arrival, entry, funds
