"""What a node of a rotation chain can ask for. Effects are performed in the order of the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from coc.consensus.rotation.evidence import DoubleSeal
from coc.consensus.rotation.inputs import Timer
from coc.consensus.sync.messages import BlockBody, CertifiedBlock
from coc.execution.mempool.inputs import PooledTransaction
from coc.node.rotation.tags import Tags
from coc.node.validator.effects import Shared
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.frozen import frozen
from coc.primitives.seals import Seal
from coc.primitives.types import Hash32, Millis, PeerId


@frozen
class SetRotationTimer:
    """Hand in `RotationTimer` at this time."""

    timer: Timer
    at_ms: Millis


@frozen
class ReadBlock:
    """Find out which block these bytes are; answer `BlockRead`."""

    peer: PeerId
    body: BlockBody


@frozen
class ReadRange:
    """The same of blocks of a peer's chain; answer `RangeRead`."""

    peer: PeerId
    blocks: Sequence[CertifiedBlock]


@frozen
class BuildSlotBlock:
    """Build the block of a slot on `parent`; answer `SlotBlockBuilt` or `BuildFailed`."""

    parent: Hash32
    timestamp_s: int
    data: ConsensusData
    transactions: Sequence[PooledTransaction]


@frozen
class JudgeBlock:
    """Execute a block and hold it to the rules; answer `BlockJudged` or `ExecutionFailed`."""

    hash: Hash32
    body: BlockBody


@frozen
class RecordBlock:
    """Write a valid block with its seal into the log; answer `BlockRecorded` or `RecordFailed`."""

    hash: Hash32
    seal: Seal
    body: BlockBody


@frozen
class MoveTags:
    """Make these the tags of the chain, durably; answer `TagsMoved` or `MoveFailed`."""

    tags: Tags


@frozen
class DoubleSealSeen:
    """A validator signed twice for a slot: tell people."""

    evidence: DoubleSeal


Own: TypeAlias = (
    SetRotationTimer
    | ReadBlock
    | ReadRange
    | BuildSlotBlock
    | JudgeBlock
    | RecordBlock
    | MoveTags
    | DoubleSealSeen
)
"""What only this engine's node asks for."""

Effect: TypeAlias = Shared | Own
