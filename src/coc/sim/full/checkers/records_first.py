"""A message leaves only after its intent is durable, and a vote for a block after the block's bytes are."""

from __future__ import annotations

from collections import defaultdict

from coc.consensus.bft.wal import BlockKept, Intent
from coc.node.validator.effects import WriteAhead
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32
from coc.primitives.votes import Signed
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class RecordsComeFirst(Checker):
    """Remembers what each node's log was told to keep, and what the disk said it kept (BFT-20)."""

    def __init__(self) -> None:
        """Nothing is written."""
        self.intents: defaultdict[int, set[SignRequest]] = defaultdict(set)
        self.blocks: defaultdict[int, set[Hash32]] = defaultdict(set)

    def on_start(self, node: SimValidator) -> None:
        """What the log holds after a start was durable before it."""
        for record in _records_of(node):
            self._note(node.position, record)

    def on_written(self, node: SimValidator, effect: WriteAhead) -> None:
        """These records are durable."""
        for record in effect.records:
            if isinstance(record, BlockKept) and record.block not in effect.blocks:
                raise Violation(f"record first: node {node.position} kept a block without its bytes")
            self._note(node.position, record)

    def on_signed(self, node: SimValidator, message: Signed) -> None:
        """An own message of the height in progress has its record."""
        if message.validator != node.address or not node.is_honest:
            return  # what a twin passes on may be the other one's
        if message.height != node.node.engine.height:
            return
        request = message.request(node.birth.rules.genesis_hash)
        if request not in self.intents[node.position]:
            raise Violation(f"record first: node {node.position} sends before its record is durable")
        if message.block is not None and message.block not in self.blocks[node.position]:
            raise Violation(f"record first: node {node.position} speaks for a block that is not durable")

    def _note(self, position: int, record: object) -> None:
        if isinstance(record, Intent):
            self.intents[position].add(record.request)
        elif isinstance(record, BlockKept):
            self.blocks[position].add(record.block)


def _records_of(node: SimValidator) -> tuple[object, ...]:
    return node.remembered.records
