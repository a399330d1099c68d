"""Everything that can happen to a node of a rotation chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from coc.consensus.rotation.inputs import Timer
from coc.consensus.rotation.rules import BlockFacts, SealedFacts
from coc.consensus.sync.messages import BlockBody
from coc.execution.mempool.inputs import Account, Candidate, Head
from coc.node.rotation.effects import RecordBlock
from coc.node.rotation.tags import Tags
from coc.node.validator.inputs import BuildFailed, Common, ExecutionFailed
from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, Height, PeerId


@frozen
class RotationTimer:
    """A timer that the engine asked for has gone off."""

    timer: Timer


@frozen
class BlockRead:
    """What the bytes that a peer sent say; None where they are no block."""

    peer: PeerId
    facts: BlockFacts | None
    body: BlockBody


@frozen
class RangeRead:
    """The blocks of a peer's chain, rising by one; `is_odd`: what followed them was no such block."""

    peer: PeerId
    blocks: Sequence[tuple[SealedFacts, BlockBody]]
    is_odd: bool


@frozen
class SlotBlockBuilt:
    """The block asked for is a candidate; `refused` are transactions that did not fit its rules."""

    facts: BlockFacts
    body: BlockBody
    refused: Sequence[Hash32]


@frozen
class BlockJudged:
    """The verdict on a block."""

    hash: Hash32
    is_valid: bool


@frozen
class BlockRecorded:
    """The block is durable in the log."""

    hash: Hash32


@frozen
class RecordFailed:
    """It could not be written; the same one is tried again."""

    wish: RecordBlock
    reason: str


@frozen
class TagsMoved:
    """The chain has these tags, durably: what it means for the pool."""

    tags: Tags
    final_height: Height
    pool_head: Head
    changed: Mapping[Address, Account]
    included: Sequence[Hash32]
    orphaned: Sequence[Candidate]
    """Transactions of blocks that were taken back, judged at the new head."""
    rules_changed: bool


@frozen
class MoveFailed:
    """The tags could not be written; they are tried again, or newer ones."""

    tags: Tags
    reason: str


Own: TypeAlias = (
    RotationTimer
    | BlockRead
    | RangeRead
    | SlotBlockBuilt
    | BuildFailed
    | BlockJudged
    | ExecutionFailed
    | BlockRecorded
    | RecordFailed
    | TagsMoved
    | MoveFailed
)
"""What happens to this engine's node only."""

Input: TypeAlias = Common | Own
