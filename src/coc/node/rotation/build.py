"""Composing a node of a rotation chain, on what the chain, its tags and the write-ahead log say."""

from __future__ import annotations

from coc.consensus.bft.wal import Intent, Record
from coc.consensus.rotation.machine import RotationMachine
from coc.consensus.rotation.rules import (
    BlockFacts,
    FinalBlock,
    NetworkRules,
    Opening,
    SealedFacts,
    Verifier,
)
from coc.consensus.rotation.rules import Setup as EngineSetup
from coc.consensus.rotation.slots import RotationRules
from coc.execution.genesis import CocRules
from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.pool import Mempool
from coc.node.rotation.chain_door import RotationDoor
from coc.node.rotation.core import Setup
from coc.node.rotation.machine import RotationNode
from coc.node.rotation.tags import Tags, TagsInvalid
from coc.node.validator.build import Remembered, TableConfig
from coc.node.validator.ports import BlockHeader
from coc.primitives.frozen import frozen
from coc.primitives.limits_rotation import FINAL_DEPTH_BLOCKS_DEFAULT
from coc.primitives.seals import decode_seal
from coc.primitives.types import Address, Hash32, Height, Millis
from coc.wire.transaction_gossip.machine import TransactionGossip


@frozen
class NodeConfig:
    """What a node is built with; `own` is its validator id, None for one that only follows."""

    rules: NetworkRules
    own: Address | None
    verify: Verifier
    has_journal: bool
    table: TableConfig | None = None
    """None for a node that is told whom to meet."""


def network_rules(genesis_hash: Hash32, genesis_time_s: int, rules: CocRules) -> NetworkRules:
    """What genesis says about slots and finality, as the engine takes it."""
    slots = RotationRules(genesis_hash, genesis_time_s, rules.block_interval_s, rules.validators)
    return NetworkRules(slots, rules.final_depth_blocks or FINAL_DEPTH_BLOCKS_DEFAULT)


def build_node(
    config: NodeConfig, door: RotationDoor, tags: Tags | None, remembered: Remembered, now_ms: Millis
) -> RotationNode:
    """A node on the tags of a chain, with what its earlier lives must not forget.

    Raises:
        TagsInvalid: the tags name blocks that the chain has not.
    """
    rules = config.rules
    written = _found_tags(door, rules) if tags is None else tags
    tags = _reconciled(door, written)
    door.stand_on(tags, written.head)
    final, chain = _branch(door, rules.slots, tags)
    kept: list[BlockFacts] = []
    bodies = []
    for _, body in remembered.content.blocks.values():
        facts = door.read(body)
        if facts is not None:
            kept.append(facts)
            bodies.append((facts, body))
    silent_until = rules.slots.slot_now(now_ms) + 1 if remembered.log_was_lost else -1  # ROT-11
    setup = EngineSetup(rules, config.own, config.verify, silent_until)
    opening = Opening(final, chain, _records(remembered), tuple(kept))
    pool = Mempool(door.shelf.pool_head(), PoolLimits(), has_journal=config.has_journal)
    discovery = None if config.table is None else config.table.build()
    node = RotationNode(
        Setup(config.own, rules, TransactionGossip(), discovery), RotationMachine(setup, opening), pool
    )
    for facts, body in bodies:
        node.hold_block(facts, body)
    return node


def _records(remembered: Remembered) -> tuple[Record, ...]:
    """The log's records, and the signer's mark where it is newer: a log may be older than its signer."""
    records, mark = remembered.content.records, remembered.mark
    slots = [record.request.round for record in records if isinstance(record, Intent)]
    if mark is not None and mark.round > max(slots, default=-1):
        return (*records, Intent(mark, None, None))
    return records


def _found_tags(door: RotationDoor, rules: NetworkRules) -> Tags:
    """Those of a chain that has none beside it, new or imported: what its blocks say (ROT-21)."""
    head = at = door.head
    size = len(rules.slots.validators.validators)
    signers: set[int] = set()
    safe: bytes | None = None
    while at.number:
        if len(signers) >= rules.quorum:
            safe = safe or at.hash
            if head.number - at.number >= rules.final_depth:
                break
        signers.add(rules.slots.slot_at(at.timestamp) % size)
        at = _required(door, at.parent_hash)
    return Tags(Hash32(head.hash), Hash32(safe or at.hash), Hash32(at.hash))


def _reconciled(door: RotationDoor, tags: Tags) -> Tags:
    """The head that the log led to, if it stands on the final block; the one that was written down if not."""
    final = _required(door, tags.final)
    at = door.head
    while at.number > final.number:
        at = _required(door, at.parent_hash)
    if at.hash == final.hash:
        head = Hash32(door.head.hash)
        return tags if head == tags.head else Tags(head, tags.final, tags.final)
    _required(door, tags.head)
    return tags


def _branch(
    door: RotationDoor, slots: RotationRules, tags: Tags
) -> tuple[FinalBlock, tuple[SealedFacts, ...]]:
    """The final block, and those above it up to the head."""
    above: list[SealedFacts] = []
    at = _required(door, tags.head)
    while at.hash != tags.final:
        above.append(door.sealed_facts(at))
        at = _required(door, at.parent_hash)
    seal = decode_seal(at.seal) if at.seal else None
    final = FinalBlock(tags.final, Height(at.number), slots.slot_at(at.timestamp), seal)
    return final, tuple(reversed(above))


def _required(door: RotationDoor, block: bytes) -> BlockHeader:
    header = door.header(block)
    if header is None:
        raise TagsInvalid(
            f"the chain has no block 0x{block.hex()}, which was final or its head",
            why="the end of its block log is lost, or its files are from two machines",
            cure="put the folder back as it was, or empty it but for `keys` and let it catch up",
        )
    return header
