"""Work on blocks of a rotation chain, done on threads, with what came of it as an input for the node.

Blocks are read, built and executed on any thread; what is written, the log and the tags, on one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coc.adapters.flushing import Flusher, sentence_of
from coc.adapters.validator.peer_errands import Answer
from coc.adapters.workers import Workers
from coc.consensus.rotation.rules import BlockFacts, SealedFacts
from coc.consensus.sync.messages import BlockBody, encode_blocks, encode_body
from coc.node.rotation.chain_door import RotationDoor
from coc.node.rotation.effects import (
    BuildSlotBlock,
    JudgeBlock,
    MoveTags,
    ReadBlock,
    ReadRange,
    RecordBlock,
)
from coc.node.rotation.inputs import (
    BlockJudged,
    BlockRead,
    BlockRecorded,
    MoveFailed,
    Own,
    RangeRead,
    RecordFailed,
    SlotBlockBuilt,
    TagsMoved,
)
from coc.node.validator.effects import SendCertificate, ServeBlock, ServeBlocks
from coc.node.validator.inputs import BuildFailed, ExecutionFailed
from coc.primitives.types import Address
from coc.wire import kinds

ReadBlocks = tuple[list[tuple[SealedFacts, BlockBody]], bool]


class RotationErrands:
    """The thread side of making and taking blocks."""

    def __init__(
        self,
        door: RotationDoor,
        workers: tuple[Workers, Workers],
        flusher: Flusher,
        feed: Callable[[Own], None],
    ) -> None:
        """`workers` are any number of threads, and the one that writes; `feed` tells the node."""
        self._door = door
        self._workers, self._writer = workers
        self._flusher = flusher
        self._feed = feed

    def read(self, effect: ReadBlock) -> None:
        """Find out which block a peer sent; answered by `BlockRead`."""

        def done(facts: BlockFacts | Exception | None) -> None:
            found = None if isinstance(facts, Exception) else facts
            self._feed(BlockRead(effect.peer, found, effect.body))

        self._workers.run(lambda: self._door.read(effect.body), done)

    def read_range(self, effect: ReadRange) -> None:
        """The same of blocks of a peer's chain; answered by `RangeRead`."""

        def done(found: ReadBlocks | Exception) -> None:
            blocks, is_odd = ([], True) if isinstance(found, Exception) else found
            self._feed(RangeRead(effect.peer, blocks, is_odd))

        self._workers.run(lambda: self._door.read_range(effect.blocks), done)

    def build(self, effect: BuildSlotBlock) -> None:
        """Build a block; answered by `SlotBlockBuilt` or `BuildFailed`."""

        def done(result: SlotBlockBuilt | Exception) -> None:
            if isinstance(result, Exception):
                self._feed(BuildFailed(f"a block cannot be built: {sentence_of(result)}"))
            else:
                self._feed(result)

        self._workers.run(lambda: self._door.build(effect), done)

    def judge(self, effect: JudgeBlock) -> None:
        """Execute a block; answered by `BlockJudged` or `ExecutionFailed`."""

        def done(is_valid: bool | Exception) -> None:
            if isinstance(is_valid, Exception):
                self._feed(ExecutionFailed(effect.hash, sentence_of(is_valid)))
            else:
                self._feed(BlockJudged(effect.hash, is_valid))

        self._workers.run(lambda: self._door.execute(effect.body), done)

    def record(self, effect: RecordBlock) -> None:
        """Write a block into the log; answered by `BlockRecorded` or `RecordFailed`."""

        def done(error: Exception | None) -> None:
            if error is not None:
                self._feed(RecordFailed(effect, sentence_of(error)))
                return
            self._feed(BlockRecorded(effect.hash))
            self._flusher.flush_if_due()

        self._writer.run(lambda: self._door.record(effect), done)

    def move(self, effect: MoveTags, known: Sequence[Address], on_head: Callable[[], None]) -> None:
        """Move the tags of the chain; answered by `TagsMoved` or `MoveFailed`."""

        def done(result: TagsMoved | Exception) -> None:
            if isinstance(result, Exception):
                self._feed(MoveFailed(effect.tags, sentence_of(result)))
                return
            on_head()
            self._feed(result)

        self._writer.run(lambda: self._door.move(effect.tags, known), done)

    def answer(self, effect: SendCertificate | ServeBlock | ServeBlocks) -> Answer | None:
        """What a peer asked for, read from the chain; to be called on a thread."""
        match effect:
            case SendCertificate():
                return None  # no block of a rotation chain has one
            case ServeBlock():
                body = self._door.shelf.body(effect.block)
                if body is None:
                    return (kinds.NO_BLOCK.number, effect.block)
                return (kinds.BLOCK.number, encode_body(body))
            case ServeBlocks():
                return (kinds.BLOCKS.number, encode_blocks(self._door.shelf.blocks(effect.wish)))
