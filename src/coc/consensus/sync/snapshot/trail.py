"""The way through one trie: which keys are to be asked for next, and how many at a time. SYNC-9.

A trie is asked for in slices, in the order of its keys, a bounded number ahead of what is built. How wide a
slice is, answers teach: keys are hashes, so equally wide slices hold about equally many leaves.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from coc.consensus.sync.snapshot.messages import KEY_MAX, Range
from coc.primitives.limits_snapshot import SNAPSHOT_AHEAD_RANGES_MAX
from coc.primitives.types import Hash32

WHOLE = KEY_MAX + 1
"""Width of a slice that is the whole trie: how each begins, and how most storages end."""


@dataclass(slots=True)
class Trail:
    """One trie on its way."""

    account: Hash32 | None
    built: int
    """Everything before this key is built in; beyond the last key when the trie is complete."""
    cursor: int = 0
    """Nothing from this key on has been asked for."""
    width: int = WHOLE
    returned: list[tuple[int, int]] = field(default_factory=list)
    """Slices that are to be asked for again, as a heap."""
    ahead: dict[int, int] = field(default_factory=dict)
    """Slices that were asked for or are verified, and not built in: first key to last."""
    arrived: dict[int, int] = field(default_factory=dict)
    """Those of them that are verified."""

    @classmethod
    def begun(cls, account: Hash32 | None, start: int) -> Trail:
        """The way from a key on."""
        return cls(account, start, start)

    @property
    def is_complete(self) -> bool:
        """Whether all of the trie is built in."""
        return self.built > KEY_MAX

    @property
    def is_small(self) -> bool:
        """Whether nothing shows yet that the trie needs more than one answer."""
        return self.width == WHOLE

    def has_next(self) -> bool:
        """Whether a slice may be asked for now."""
        if self.returned:
            return True
        return self.cursor <= KEY_MAX and len(self.ahead) < SNAPSHOT_AHEAD_RANGES_MAX

    def take(self) -> Range:
        """The next slice; only where there is one."""
        if self.returned:
            start, end = heapq.heappop(self.returned)
        else:
            start = self.cursor
            end = min(KEY_MAX, start + self.width - 1)
            self.cursor = end + 1
        self.ahead[start] = end
        return Range(self.account, start, end)

    def give_back(self, slice_: Range) -> None:
        """Nobody has answered: the slice is to be asked for again."""
        if self.ahead.pop(slice_.start, None) is not None:
            heapq.heappush(self.returned, (slice_.start, slice_.end))

    def note(self, slice_: Range, end: int) -> None:
        """A slice was answered up to a key, which is the last of all where the trie has no more."""
        if self.ahead.get(slice_.start) != slice_.end:
            return
        if end != slice_.end:
            self.ahead[slice_.start] = end
        if end < slice_.end:
            covered = end - slice_.start + 1
            # A little less, because leaves are not spread quite evenly and a rest costs a request of its own.
            self.width = max(1, covered - covered // 16)
            if slice_.end + 1 == self.cursor:
                # What nobody has asked for behind it is cut anew, in slices as wide as this answer was.
                self.cursor = end + 1
            else:
                heapq.heappush(self.returned, (end + 1, slice_.end))
        self.arrived[slice_.start] = self.ahead[slice_.start]
        if end == KEY_MAX:
            self.cursor = WHOLE
        if self.account is not None:
            self._build()

    def note_built(self, built: int) -> None:
        """The native core has built everything before a key: what lies there is in memory no more."""
        self.built = max(self.built, built)
        for start in [start for start, end in self.arrived.items() if end < self.built]:
            del self.arrived[start]
            self.ahead.pop(start, None)

    def _build(self) -> None:
        while self.built in self.arrived:
            end = self.arrived.pop(self.built)
            del self.ahead[self.built]
            self.built = end + 1
