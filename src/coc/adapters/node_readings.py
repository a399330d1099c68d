"""What a running node says of itself when it is asked again and again, for a view of several."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from coc.adapters.rpc_client import NodeUnreachable, RpcClient
from coc.primitives.errors import HexInvalid
from coc.primitives.frozen import frozen
from coc.primitives.types import parse_quantity

ANSWER_SECONDS_MAX: Final = 2.0
"""How long a node may take: beyond that it hangs, or its machine does."""

_CALLS: Final[Sequence[tuple[str, Sequence[object]]]] = (
    ("eth_blockNumber", ()),
    ("eth_getBlockByNumber", ("finalized", False)),
    ("net_peerCount", ()),
    ("bft_status", ()),
)
_READY: Final = 200


@frozen
class Reading:
    """One answer; None where the node does not say."""

    height: int | None
    finalized: int | None
    peers: int | None
    round: int | None
    """Of the height that it works on."""
    goal: int | None
    """The height that the furthest of its peers works on."""
    is_watching: bool
    """It does not vote yet, because it does not know what it has signed."""
    problem: str
    """Why it cannot do its work; empty where it can."""

    @property
    def behind(self) -> int:
        """Decided blocks that it lacks."""
        if self.height is None or self.goal is None:
            return 0
        return max(0, self.goal - 1 - self.height)


class NodeReader:
    """Asks one node; a node that hangs holds up its own reader only."""

    def __init__(self, url: str, threads: ThreadPoolExecutor) -> None:
        """Nothing is asked yet."""
        self.url = url
        self._client = RpcClient(url, ANSWER_SECONDS_MAX)
        self._threads = threads

    async def read(self) -> Reading | None:
        """What it says now; None where it does not answer."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read)

    def _read(self) -> Reading | None:
        try:
            height, finalized, peers, agreeing = self._client.call_many(_CALLS)
            status, page = self._client.page("/readyz")
        except NodeUnreachable:
            return None
        reasons = [] if status == _READY else [line for line in page.splitlines()[1:] if line]
        return Reading(
            _number(height),
            _number(_member(finalized, "number")),
            _number(peers),
            _number(_member(agreeing, "round")),
            _number(_member(agreeing, "goal")),
            _member(agreeing, "watching") is True,
            reasons[0] if reasons else "",
        )


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _number(value: object) -> int | None:
    try:
        return parse_quantity(value) if isinstance(value, str) else None
    except HexInvalid:
        return None
