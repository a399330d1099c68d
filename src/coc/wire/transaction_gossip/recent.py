"""Bounded memory of hashes: the newest stay."""

from __future__ import annotations

from coc.primitives.types import Hash32


class RecentHashes:
    """Hashes with the time they were noted; noting one again makes it the newest."""

    __slots__ = ("_hashes_max", "_noted_ms")

    def __init__(self, hashes_max: int) -> None:
        """Room for so many."""
        self._hashes_max = hashes_max
        self._noted_ms: dict[Hash32, int] = {}

    def __contains__(self, hash_: Hash32) -> bool:
        return hash_ in self._noted_ms

    def __len__(self) -> int:
        return len(self._noted_ms)

    def note(self, hash_: Hash32, now_ms: int = 0) -> None:
        """Remember a hash; the oldest makes room."""
        self._noted_ms.pop(hash_, None)
        self._noted_ms[hash_] = now_ms
        if len(self._noted_ms) > self._hashes_max:
            del self._noted_ms[next(iter(self._noted_ms))]

    def noted_ms(self, hash_: Hash32) -> int | None:
        """When a hash was noted."""
        return self._noted_ms.get(hash_)

    def forget(self, hash_: Hash32) -> None:
        """Forget a hash."""
        self._noted_ms.pop(hash_, None)
