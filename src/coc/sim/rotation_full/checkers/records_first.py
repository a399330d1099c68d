"""A block leaves in order: intent and bytes durable, signer, block log, network (ROT-8)."""

from __future__ import annotations

from coc.consensus.bft.wal import BlockKept, Intent
from coc.consensus.rotation.messages import Message
from coc.node.rotation.effects import RecordBlock
from coc.node.validator.effects import WriteAhead
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32
from coc.primitives.votes import Proposal
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class RecordsComeFirst(Checker):
    """Remembers what each node's disks said that they keep."""

    def __init__(self) -> None:
        """Nothing is written."""
        self.intents: dict[int, dict[SignRequest, None]] = {}
        self.bytes_of: dict[int, dict[Hash32, None]] = {}
        self.logged: dict[int, dict[Hash32, None]] = {}

    def on_start(self, node: SimRotationNode) -> None:
        """What the write-ahead log held was durable before."""
        intents = [record.request for record in node.remembered.records if isinstance(record, Intent)]
        self.intents.setdefault(node.position, {}).update(dict.fromkeys(intents))
        self.bytes_of.setdefault(node.position, {}).update(dict.fromkeys(node.remembered.blocks))

    def on_written(self, node: SimRotationNode, effect: WriteAhead) -> None:
        """These records are durable."""
        for record in effect.records:
            if isinstance(record, Intent):
                self.intents.setdefault(node.position, {})[record.request] = None
            if isinstance(record, BlockKept) and record.block in effect.blocks:
                self.bytes_of.setdefault(node.position, {})[record.block] = None

    def on_signed(self, node: SimRotationNode, request: SignRequest) -> None:
        """The signer is asked for nothing that a power cut could make forgotten."""
        if request not in self.intents.get(node.position, {}):
            raise Violation(f"record first: node {node.position} signs before its intent is durable")
        if request.block not in self.bytes_of.get(node.position, {}):
            raise Violation(f"record first: node {node.position} signs a block whose bytes are not durable")

    def on_recorded(self, node: SimRotationNode, wish: RecordBlock) -> None:
        """The log has the block."""
        self.logged.setdefault(node.position, {})[wish.hash] = None

    def on_message(self, node: SimRotationNode, message: Message) -> None:
        """Nobody announces what is not in its log."""
        if not isinstance(message, Proposal) or node.chain.header(message.block or b"") is None:
            return
        if message.block not in self.logged.get(node.position, {}):
            raise Violation(f"record first: node {node.position} announces a block that it has not logged")
