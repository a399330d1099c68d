"""Facts of the running node, for RPC."""

from __future__ import annotations

from collections.abc import Callable

from coc.adapters.release import client_version
from coc.rpc.ports import SyncProgress


class NodeStatus:
    """Facts of the running node, for RPC."""

    def __init__(self, coinbase: bytes | None, peers: Callable[[], int] = lambda: 0) -> None:
        """`peers` counts connected peers; without it there are none."""
        self._coinbase = coinbase
        self._peers = peers
        self.client_version = client_version()
        self.listening = True

    def peer_count(self) -> int:
        """How many peers are connected."""
        return self._peers()

    def syncing(self) -> SyncProgress | None:
        """None: there is nobody to catch up with."""
        return None

    def coinbase(self) -> bytes | None:
        """Who gets the tips; None where no blocks are made."""
        return self._coinbase
