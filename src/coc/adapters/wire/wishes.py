"""Layers that wait for a connection they asked for, each with what to call when it comes to nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress


class Wishes:
    """Who waits for whom, and where."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._calls: dict[tuple[PeerAddress, PeerId | None], list[Callable[[], None]]] = {}

    def add(self, address: PeerAddress, peer: PeerId | None, on_failed: Callable[[], None]) -> None:
        """Somebody waits."""
        self._calls.setdefault((address, peer), []).append(on_failed)

    def fulfil(self, peer: PeerId, dialled: PeerAddress | None) -> None:
        """A peer is up: whoever waited for it, or for anybody at the address dialled, has been told."""
        for address, wanted in tuple(self._calls):
            if wanted == peer or (wanted is None and address == dialled):
                del self._calls[address, wanted]

    def give_up(self, address: PeerAddress, peer: PeerId | None) -> Sequence[Callable[[], None]]:
        """A wish came to nothing: whom to call."""
        return self._calls.pop((address, peer), ())
