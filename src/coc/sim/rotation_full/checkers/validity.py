"""Only blocks that keep the rules of turns are written: said again, in other words (ROT-2 to ROT-5)."""

from __future__ import annotations

from coc.node.rotation.effects import RecordBlock
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.types import Height
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class WrittenBlocksKeepTheRules(Checker):
    """Looks at each block of each node's log as it is written."""

    def on_recorded(self, node: SimRotationNode, wish: RecordBlock) -> None:
        """Slot, time, proposer, fees and seal are what its place makes them."""
        if not node.is_honest:
            return
        slots = node.birth.rules.slots
        block, seal = wish.hash, wish.seal
        header = node.chain.header(block)
        parent = None if header is None else node.chain.header(header.parent_hash)
        if header is None or parent is None:
            raise Violation(f"validity: node {node.position} wrote a block that stands on nothing")
        slot, remainder = divmod(header.timestamp - slots.genesis_time_s, slots.interval_s)
        entry = slots.validators.validators[slot % len(slots.validators.validators)]
        if remainder or header.timestamp <= parent.timestamp:
            raise Violation(f"validity: node {node.position} wrote a block out of its slot")
        named = decode_consensus_data(header.consensus_data).proposer
        if (header.coinbase, named) != (entry.fee_recipient, entry.id):
            raise Violation(f"validity: node {node.position} wrote a block that pays or names another")
        if seal.slot != slot or seal.signer(slots.genesis_hash, Height(header.number), block) != entry.id:
            raise Violation(f"validity: node {node.position} wrote a block that its proposer did not seal")
