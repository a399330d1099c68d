"""The chain's part in rotation: read, build, execute, record, move the tags; calls that may take long.

What a block must say beside Ethereum's rules is checked here, after the native core has executed it. Its seal
was checked by the machine before its bytes were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from coc.consensus.rotation.rules import BlockFacts, SealedFacts
from coc.consensus.rotation.slots import RotationRules
from coc.consensus.rotation.verify import ParentFacts, RotationInvalid, SealedBlock, verify_data
from coc.consensus.sync.messages import BlockBody, CertifiedBlock
from coc.execution.mempool.inputs import Account, Candidate
from coc.node.judging import candidates_of
from coc.node.rotation.effects import BuildSlotBlock, RecordBlock
from coc.node.rotation.inputs import SlotBlockBuilt, TagsMoved
from coc.node.rotation.ports import BranchingChain
from coc.node.rotation.tags import TagFile, Tags, encode_tags
from coc.node.validator.ports import BlockHeader, Faults
from coc.node.validator.shelf import Shelf
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.seals import Seal, decode_seal
from coc.primitives.types import Address, Hash32, Height

ReadBlockBytes = Callable[[bytes, bytes], tuple[bytes, int, bytes, int]]
"""The native function `read_block`."""


@frozen
class DoorRules:
    """What the door holds blocks to, and our own wish as a proposer."""

    slots: RotationRules
    gas_limit_target: int


@frozen
class Way:
    """From one head to another: blocks taken back, newest first, and blocks added, oldest first."""

    removed: list[bytes]
    added: list[bytes]


class RotationDoor:
    """The calls."""

    def __init__(
        self,
        chain: BranchingChain,
        read_block: ReadBlockBytes,
        faults: Faults,
        rules: DoorRules,
        tags: TagFile | None,
    ) -> None:
        """`tags` is None for a chain that does not outlive its process."""
        self._chain = chain
        self._read_block = read_block
        self._faults = faults
        self._rules = rules
        self._tags = tags
        self._told = chain.head.hash
        """The head that the pool was told of last: a move that failed half-way is told whole later."""
        self.shelf = Shelf(chain)

    # ── Reading what peers send ─────────────────────────────────────────────────────────────────────────────

    def read(self, body: BlockBody) -> BlockFacts | None:
        """What these bytes say; None where they are no block."""
        try:
            hash_, number, parent, time_s = self._read_block(body.block, body.consensus_data)
            certificate = decode_consensus_data(body.consensus_data).parent_certificate
            seal = decode_seal(certificate) if certificate else None
        except (self._faults.invalid, PrimitivesError):
            return None
        return BlockFacts(
            Hash32(hash_), Hash32(parent), Height(number), self._rules.slots.slot_at(time_s), seal
        )

    def read_range(
        self, blocks: Sequence[CertifiedBlock]
    ) -> tuple[list[tuple[SealedFacts, BlockBody]], bool]:
        """Blocks that stand on one another, each with its seal; and whether something odd came after them."""
        found: list[tuple[SealedFacts, BlockBody]] = []
        for block in blocks:
            body = BlockBody(block.block, block.consensus_data)
            facts = self.read(body)
            try:
                seal = decode_seal(block.certificate)
            except PrimitivesError:
                return found, True
            if facts is None or (found and facts.parent != found[-1][0].facts.hash):
                return found, True
            found.append((SealedFacts(facts, seal), body))
        return found, False

    # ── A block on its way ──────────────────────────────────────────────────────────────────────────────────

    def build(self, wish: BuildSlotBlock) -> SlotBlockBuilt:
        """Build a block of ours.

        Raises:
            Faults.storage: the machine cannot.
        """
        slot, data = wish.data.original_round, wish.data.encode()
        attributes = {
            "timestamp": wish.timestamp_s,
            "coinbase": f"0x{self._rules.slots.proposer(slot).fee_recipient.hex()}",
            "gas_limit_target": self._rules.gas_limit_target,
            "consensus_data": f"0x{data.hex()}",
        }
        built = self._chain.build(wish.parent, msgspec.json.encode(attributes), list(wish.transactions), None)
        height = Height(self._known(built.hash).number)
        certificate = wish.data.parent_certificate
        seal = decode_seal(certificate) if certificate else None
        return SlotBlockBuilt(
            BlockFacts(Hash32(built.hash), wish.parent, height, slot, seal),
            BlockBody(built.block_rlp, data),
            [Hash32(refused) for refused, _, _ in built.refused],
        )

    def execute(self, body: BlockBody) -> bool:
        """Execute a block on its parent and hold it to the rules; whether it is valid.

        Raises:
            Exception: the machine cannot; nothing is known about the block.
        """
        try:
            header = self._known(self._chain.execute(body.block, body.consensus_data))
            parent = self._known(header.parent_hash)
            verify_data(self._rules.slots, _parent_facts(parent), _sealed_block(header))
        except (self._faults.invalid, RotationInvalid, PrimitivesError):
            return False
        return True

    def record(self, wish: RecordBlock) -> None:
        """Write a block that was found valid into the log; the head stays.

        Raises:
            Exception: it could not be written; the same call may be made again.
        """
        try:
            self._chain.record(wish.hash, wish.seal.encode())
        except self._faults.unknown:
            # A flush lets go of candidates that lie well behind the head.
            if not wish.body.block:
                raise
            self._chain.execute(wish.body.block, wish.body.consensus_data)
            self._chain.record(wish.hash, wish.seal.encode())

    def move(self, tags: Tags, senders: Sequence[Address]) -> TagsMoved:
        """Make these the tags of the chain. `senders` wait in the pool.

        Raises:
            Exception: they could not be written; the same call may be made again.
        """
        chain, old = self._chain, self._known(self._told)
        if self._tags is not None:
            self._tags.save(encode_tags(tags))
        way = self._way(old, tags.head)
        chain.set_head(tags.head)
        chain.set_finalized(tags.safe, tags.final)
        included = [Hash32(each) for block in way.added for each in chain.transaction_hashes(block)]
        accounts = chain.accounts(tags.head, list(senders))
        moved = TagsMoved(
            tags,
            Height(self._known(tags.final).number),
            self.shelf.pool_head(),
            {sender: Account(*account) for sender, account in zip(senders, accounts, strict=True)},
            included,
            self._orphaned(way.removed, frozenset(included), tags.head),
            rules_changed=chain.head.gas_limit != old.gas_limit,
        )
        self._told = tags.head
        return moved

    # ── Where a start finds the chain ───────────────────────────────────────────────────────────────────────

    def header(self, block: bytes) -> BlockHeader | None:
        """A known block's facts."""
        return self._chain.header(block)

    def stand_on(self, tags: Tags, written_head: Hash32) -> None:
        """Make these the tags of a start.

        `written_head` is where the chain was last said to end. If the log leads elsewhere, what the branch up
        to it had taken may be in no journal any more, so the first move tells the pool of it.
        """
        self._chain.set_head(tags.head)
        self._chain.set_finalized(tags.safe, tags.final)
        self._told = tags.head if self._chain.header(written_head) is None else written_head

    @property
    def head(self) -> BlockHeader:
        """The block that the chain ends in."""
        return self._chain.head

    def sealed_facts(self, header: BlockHeader) -> SealedFacts:
        """A block of the log as the machine knows it."""
        certificate = decode_consensus_data(header.consensus_data).parent_certificate
        facts = BlockFacts(
            Hash32(header.hash),
            Hash32(header.parent_hash),
            Height(header.number),
            self._rules.slots.slot_at(header.timestamp),
            decode_seal(certificate) if certificate else None,
        )
        return SealedFacts(facts, _seal_of(header))

    # ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────

    def _way(self, old: BlockHeader, head: Hash32) -> Way:
        removed: list[bytes] = []
        added: list[bytes] = []
        back, on = old, self._known(head)
        while back.hash != on.hash:
            if back.number >= on.number:
                removed.append(back.hash)
                back = self._known(back.parent_hash)
            else:
                added.append(on.hash)
                on = self._known(on.parent_hash)
        return Way(removed, added[::-1])

    def _orphaned(
        self, removed: Sequence[bytes], included: frozenset[Hash32], head: Hash32
    ) -> list[Candidate]:
        """Transactions of blocks taken back that the new branch has not, judged at its head."""
        chain = self._chain
        raws: list[bytes] = []
        for block in reversed(removed):
            for index, name in enumerate(chain.transaction_hashes(block)):
                raw = None if name in included else chain.transaction_raw(block, index)
                raws += [] if raw is None else [raw]
        judged = candidates_of(chain.admit(head, raws)) if raws else []
        return [each for each in judged if isinstance(each, Candidate)]

    def _known(self, block: bytes) -> BlockHeader:
        header = self._chain.header(block)
        if header is None:
            raise self._faults.unknown(f"block 0x{block.hex()} is not known")
        return header


def _seal_of(header: BlockHeader) -> Seal:
    return decode_seal(header.seal)


def _parent_facts(header: BlockHeader) -> ParentFacts:
    return ParentFacts(Height(header.number), header.timestamp, header.seal, Hash32(header.hash))


def _sealed_block(header: BlockHeader) -> SealedBlock:
    return SealedBlock(
        Hash32(header.hash),
        Height(header.number),
        header.timestamp,
        Address(header.coinbase),
        header.consensus_data,
        b"",
    )
