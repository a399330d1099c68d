"""Bounded memory of hashes: the newest stay."""

from __future__ import annotations

from collections.abc import Iterable

from coc.primitives.types import Hash32


class RecentHashes(dict[Hash32, int]):
    """Hashes with the time they were noted; noting one again makes it the newest.

    Every transaction is looked up here some ten times on its way, so the looking is a dictionary's own.
    """

    __slots__ = ("_hashes_max",)

    def __init__(self, hashes_max: int) -> None:
        """Room for so many."""
        super().__init__()
        self._hashes_max = hashes_max

    def note(self, hash_: Hash32, now_ms: int = 0) -> None:
        """Remember a hash; the oldest makes room."""
        self.pop(hash_, None)
        self[hash_] = now_ms
        if len(self) > self._hashes_max:
            del self[next(iter(self))]

    def note_all(self, hashes: Iterable[Hash32]) -> None:
        """Remember several, as `note` would one after the other."""
        forget = self.pop
        for hash_ in hashes:
            forget(hash_, None)
            self[hash_] = 0
        while len(self) > self._hashes_max:
            del self[next(iter(self))]
