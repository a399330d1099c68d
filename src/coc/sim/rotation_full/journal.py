"""The transaction journal of a simulated node, as the live one behaves (`coc.adapters.journal`).

What was appended survives a killed process. It is made durable every `MEMPOOL_JOURNAL_FSYNC_MS_MAX`, so a
power cut takes at most what came since, from a point drawn by lot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from coc.primitives.keccak import keccak256
from coc.primitives.limits import MEMPOOL_JOURNAL_FSYNC_MS_MAX
from coc.primitives.types import Hash32


@dataclass(slots=True)
class SimJournal:
    """Transactions, each with the time at which it was appended."""

    records: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def raws(self) -> list[bytes]:
        """What a start finds."""
        return [raw for _, raw in self.records]

    @property
    def hashes(self) -> set[Hash32]:
        """The names of what it holds."""
        return {keccak256(raw) for raw in self.raws}

    def append(self, now_ms: int, raws: Sequence[bytes]) -> None:
        """Hand transactions to the operating system."""
        self.records += [(now_ms, raw) for raw in raws]

    def rewrite(self, raws: Sequence[bytes]) -> None:
        """Replace everything, durably."""
        self.records = [(-MEMPOOL_JOURNAL_FSYNC_MS_MAX, raw) for raw in raws]

    def cut_power(self, now_ms: int, dice: Random) -> None:
        """Lose some of the newest records."""
        synced_ms = now_ms - dice.randint(0, MEMPOOL_JOURNAL_FSYNC_MS_MAX)
        self.records = [record for record in self.records if record[0] <= synced_ms]
