"""What the handlers of the rotation machine share."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

from coc.consensus.fork_choice.tree import ForkTree
from coc.consensus.rotation.evidence import DoubleSealBook
from coc.consensus.rotation.rules import BlockFacts, Setup
from coc.primitives.limits_rotation import BLOCK_SOURCES_MAX, REFUSED_BLOCKS_MAX, SLOTS_REMEMBERED_MAX
from coc.primitives.seals import NO_VALID_ROUND, Seal, SignRequest
from coc.primitives.types import Hash32, Height, Millis, PeerId
from coc.primitives.votes import Proposal


class Sight(enum.Enum):
    """How far a sealed block has come on its way into the tree."""

    HELD = "held"
    """Its slot has not begun."""
    SOUGHT = "sought"
    """Its bytes are asked for."""
    WAITING = "waiting"
    """Its parent is not in the tree."""
    EXECUTING = "executing"
    RECORDING = "recording"


@dataclass(slots=True)
class Pending:
    """A sealed block that is not in the tree."""

    seal: Proposal
    sight: Sight
    sources: dict[PeerId, None] = field(default_factory=dict)
    facts: BlockFacts | None = None

    def told_by(self, peers: Iterable[PeerId]) -> None:
        """Peers spoke of it, so they may hold it."""
        for peer in peers:
            if len(self.sources) < BLOCK_SOURCES_MAX:
                self.sources[peer] = None


@dataclass(slots=True)
class Making:
    """A block of ours that is not sealed; the request is None until the block exists."""

    slot: int
    parent: Hash32
    facts: BlockFacts | None = None
    request: SignRequest | None = None
    is_durable: bool = False


@dataclass(slots=True)
class Core:
    """The machine's state."""

    setup: Setup
    tree: ForkTree
    seals: dict[Hash32, Proposal] = field(default_factory=dict)
    """Of the blocks in the tree; block 0 has none."""
    pending: dict[Hash32, Pending] = field(default_factory=dict)
    """In the order in which they were heard of."""
    slots: dict[int, dict[Hash32, Proposal]] = field(default_factory=dict)
    """Authentic seals by slot, to find those that exclude each other."""
    refused: dict[Hash32, None] = field(default_factory=dict)
    """Blocks found invalid, newest last."""
    evidence: DoubleSealBook = field(default_factory=DoubleSealBook)
    received_until: dict[PeerId, Height] = field(default_factory=dict)
    """How far each peer's chain was received in ranges."""
    told: tuple[Hash32, Hash32, Hash32] | None = None
    """Head, safe and final block as they were last asked for."""
    making: Making | None = None
    signed_slot: int = -1
    """The highest slot for which there is an intent."""
    awaited_slot: int = -1
    """The slot whose timer was asked for last."""
    sequence: int = 0

    def seal_of(self, block: Hash32) -> Seal | None:
        """The seal of a block of the tree; None for block 0."""
        proposal = self.seals.get(block)
        return None if proposal is None else Seal(proposal.round, proposal.signature)

    def proposal_of(self, block: Hash32, height: Height, seal: Seal) -> Proposal:
        """A seal as the message that it is the signature of."""
        author = self.setup.rules.slots.proposer(seal.slot).id
        return Proposal(height, seal.slot, block, NO_VALID_ROUND, author, seal.signature)

    def slot_now(self, now_ms: Millis) -> int:
        """The slot that our clock is in."""
        return self.setup.rules.slots.slot_now(now_ms)

    def refuse(self, block: Hash32) -> None:
        """Remember that a block is invalid."""
        self.refused[block] = None
        if len(self.refused) > REFUSED_BLOCKS_MAX:
            del self.refused[next(iter(self.refused))]

    def remember_seal(self, seal: Proposal) -> None:
        """Keep an authentic seal to compare others with; the lowest slot makes room."""
        self.slots.setdefault(seal.round, {})[seal.block] = seal
        if len(self.slots) > SLOTS_REMEMBERED_MAX:
            del self.slots[min(self.slots)]
