"""Blocks on their way to a decision: their bytes, who is believed to hold them, who was asked.

Only what the engine seeks is taken from peers, so memory is bounded by what it can have in sight. A block is
asked for again with every re-send timer of the engine, and each time from the peers that come next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from coc.consensus.sync.messages import BlockBody
from coc.primitives.limits_consensus import BLOCK_ASKED_PEERS_MAX, BLOCKS_UNDECIDED_MAX
from coc.primitives.types import Hash32, Height, PeerId


@dataclass(slots=True)
class Kept:
    """A block whose bytes are here."""

    height: Height
    body: BlockBody


@dataclass(slots=True)
class BlockStash:
    """What is known of undecided blocks."""

    kept: dict[Hash32, Kept] = field(default_factory=dict)
    sought: dict[Hash32, int] = field(default_factory=dict)
    """Blocks that are wanted, and how many peers were asked so far."""
    sources: dict[Hash32, dict[PeerId, None]] = field(default_factory=dict)
    """Peers that spoke of a block, in the order in which they did."""

    def keep(self, block: Hash32, height: Height, body: BlockBody) -> None:
        """Hold the bytes of a block; the oldest make room."""
        self.kept[block] = Kept(height, body)
        self.sought.pop(block, None)
        self.sources.pop(block, None)
        while len(self.kept) > BLOCKS_UNDECIDED_MAX:
            del self.kept[next(iter(self.kept))]

    def body(self, block: Hash32) -> BlockBody | None:
        """The bytes of a block, if they are here."""
        kept = self.kept.get(block)
        return None if kept is None else kept.body

    def heard_of(self, block: Hash32, peer: PeerId) -> None:
        """A peer spoke of a block, so it may hold it."""
        if block in self.kept:
            return
        self.sources.setdefault(block, {})[peer] = None
        while len(self.sources) > BLOCKS_UNDECIDED_MAX:
            del self.sources[next(iter(self.sources))]

    def seek(self, block: Hash32, holders: Iterable[PeerId], connected: Iterable[PeerId]) -> list[PeerId]:
        """Whom to ask for a block now: who says that it holds it, else who spoke of it, else anybody."""
        asked = self.sought.setdefault(block, 0)
        while len(self.sought) > BLOCKS_UNDECIDED_MAX:
            del self.sought[next(iter(self.sought))]
        up = dict.fromkeys(connected)
        known = dict.fromkeys([*holders, *self.sources.get(block, ())])
        candidates = [peer for peer in known if peer in up] or list(up)
        count = min(BLOCK_ASKED_PEERS_MAX, len(candidates))
        self.sought[block] = asked + count
        return [candidates[(asked + index) % len(candidates)] for index in range(count)]

    def is_sought(self, block: Hash32) -> bool:
        """Whether the bytes of a block are wanted."""
        return block in self.sought

    def opened(self, height: Height) -> None:
        """A height has begun: what belongs to earlier ones is no longer needed."""
        self.kept = {block: kept for block, kept in self.kept.items() if kept.height >= height}
        self.sought.clear()
