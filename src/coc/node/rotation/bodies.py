"""The bytes of blocks on their way into the tree, and who was asked for those that are missing.

They are bounded by bytes, because a node that was away may have hundreds of blocks on their way. Where there
is no room the highest block goes: it stands on all others, so it is needed last, and then it is asked for
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from coc.consensus.rotation.rules import BlockFacts
from coc.consensus.sync.messages import BlockBody
from coc.primitives.frozen import frozen
from coc.primitives.limits_consensus import BLOCK_ASKED_PEERS_MAX
from coc.primitives.limits_rotation import BODIES_BYTES_MAX, PENDING_BLOCKS_MAX
from coc.primitives.types import Hash32, PeerId


@frozen
class Kept:
    """A block whose bytes are here."""

    facts: BlockFacts
    body: BlockBody

    @property
    def size(self) -> int:
        """Bytes of block and consensus data."""
        return len(self.body.block) + len(self.body.consensus_data)


@dataclass(slots=True)
class Bodies:
    """Bytes that are here, and blocks whose bytes are wanted."""

    kept: dict[Hash32, Kept] = field(default_factory=dict)
    size: int = 0
    sought: dict[Hash32, int] = field(default_factory=dict)
    """Blocks that are wanted, and how many peers were asked so far."""

    @property
    def is_half_full(self) -> bool:
        """Whether more should not be asked for in bulk."""
        return self.size > BODIES_BYTES_MAX // 2

    def keep(self, facts: BlockFacts, body: BlockBody) -> None:
        """Hold the bytes of a block; the highest make room, but one block always fits."""
        self.drop(facts.hash)
        kept = Kept(facts, body)
        self.kept[facts.hash] = kept
        self.size += kept.size
        self.sought.pop(facts.hash, None)
        while self.size > BODIES_BYTES_MAX and len(self.kept) > 1:
            self.drop(max(self.kept.values(), key=lambda each: each.facts.height).facts.hash)

    def get(self, block: Hash32) -> Kept | None:
        """The bytes of a block, if they are here."""
        return self.kept.get(block)

    def drop(self, block: Hash32) -> None:
        """Let go of a block's bytes."""
        kept = self.kept.pop(block, None)
        if kept is not None:
            self.size -= kept.size

    def tidy(self, is_wanted: Callable[[Hash32], bool]) -> None:
        """Let go of what is not on its way any more."""
        for block in [block for block in self.kept if not is_wanted(block)]:
            self.drop(block)
        self.sought = {block: asked for block, asked in self.sought.items() if is_wanted(block)}

    def seek(self, block: Hash32, holders: Iterable[PeerId], connected: Iterable[PeerId]) -> list[PeerId]:
        """Whom to ask for a block now: who spoke of it, else anybody; each time those that come next."""
        asked = self.sought.setdefault(block, 0)
        while len(self.sought) > PENDING_BLOCKS_MAX:
            del self.sought[next(iter(self.sought))]
        up = dict.fromkeys(connected)
        candidates = [peer for peer in holders if peer in up] or list(up)
        count = min(BLOCK_ASKED_PEERS_MAX, len(candidates))
        self.sought[block] = asked + count
        return [candidates[(asked + index) % len(candidates)] for index in range(count)]

    def is_sought(self, block: Hash32) -> bool:
        """Whether the bytes of a block are wanted."""
        return block in self.sought
