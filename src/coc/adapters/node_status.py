"""Facts of the running node, for RPC."""

from __future__ import annotations

from collections.abc import Callable

from coc.adapters.release import client_version
from coc.consensus.sync.block_sync import HEIGHTS_BEHIND_MIN
from coc.rpc.ports import Agreeing, SyncProgress


class NodeStatus:
    """Facts of the running node, for RPC."""

    def __init__(
        self,
        coinbase: bytes | None,
        peers: Callable[[], int] = lambda: 0,
        agreeing: Callable[[], Agreeing | None] = lambda: None,
        heads: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        """`peers` counts connected peers, `agreeing` says where a node of a BFT chain stands.

        `heads` are the heights of our head and of the highest one among peers, where validators take turns.
        """
        self._coinbase = coinbase
        self._peers = peers
        self._agreeing = agreeing
        self._heads = heads
        self._started_at: int | None = None
        self.client_version = client_version()
        self.listening = True

    def peer_count(self) -> int:
        """How many peers are connected."""
        return self._peers()

    def syncing(self) -> SyncProgress | None:
        """How far a node that catches up has come; None for one in step with its peers."""
        head, highest = self._own_and_highest()
        if highest - head < HEIGHTS_BEHIND_MIN:
            self._started_at = None
            return None
        self._started_at = head if self._started_at is None else self._started_at
        return SyncProgress(self._started_at, head, highest)

    def _own_and_highest(self) -> tuple[int, int]:
        if self._heads is not None:
            return self._heads()
        facts = self._agreeing()
        return (0, 0) if facts is None else (facts.height - 1, facts.goal - 1)

    def coinbase(self) -> bytes | None:
        """Who gets the tips; None where no blocks are made."""
        return self._coinbase

    def agreeing(self) -> Agreeing | None:
        """Where a node of a BFT chain stands; None on other chains."""
        return self._agreeing()
