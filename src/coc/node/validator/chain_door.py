"""The chain's part in agreeing on blocks: check, build, execute, decide, serve; calls that may take long.

The live program makes these calls on threads, a simulated run makes them in place; they are the same calls.
What a block must say beside Ethereum's rules is checked here, with facts of its parent's state, after the
native core has executed it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec

from coc.consensus.bft.block_rules import (
    BftBlockInvalid,
    BlockContext,
    ProposedBlock,
    randomness_input,
    verify_bft_block,
)
from coc.consensus.bft.certificates import CertificateInvalid, verify_certificate
from coc.consensus.bft.power import Electorate
from coc.consensus.bft.rules import BlockFacts, HeightFacts, Verifier
from coc.consensus.sync.messages import BlockBody, BlockRange, CertifiedBlock
from coc.execution.mempool.inputs import Account, Head
from coc.node.validator.effects import BuildBlock
from coc.node.validator.inputs import BlockBuilt, BlockDecided, BlocksAdopted
from coc.node.validator.ports import BlockHeader, ChainHandle, Faults, SetReader
from coc.node.validator.shelf import Shelf
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.errors import NodeError, PrimitivesError
from coc.primitives.frozen import frozen, replace
from coc.primitives.limits_consensus import EVIDENCE_LOOKED_AT_ITEMS_MAX, EVIDENCE_PER_BLOCK_ITEMS_MAX
from coc.primitives.types import Address, Hash32, Height, PeerId
from coc.primitives.votes import CommitCertificate, Evidence, decode_certificate


@frozen
class ChainRules:
    """What the door holds blocks to: the sets, the signatures, and our own wishes as a proposer."""

    sets: SetReader
    verify: Verifier
    gas_limit_target: int


class Overtaken(NodeError):
    """Catching up has moved the head beyond a block that was to be judged: nobody asks any more."""

    id: ClassVar[str] = "COC-OVERTAKEN"


class _Differs(Exception):
    """A certified block that our own execution refuses."""


class ChainDoor:
    """The calls."""

    def __init__(
        self,
        chain: ChainHandle,
        check_block: Callable[[bytes, bytes], tuple[bytes, int]],
        faults: Faults,
        rules: ChainRules,
    ) -> None:
        """`check_block` is the native function of that name."""
        self._chain = chain
        self._check_block = check_block
        self._faults = faults
        self._rules = rules
        self._shelf = Shelf(chain)
        self.genesis_hash = Hash32(chain.genesis_hash)
        self.on_difference: Callable[[Hash32, Height, CertifiedBlock], None] = lambda *_: None
        """Told of a certified block that our own execution refuses, on the thread that adopts."""

    # ── Facts ───────────────────────────────────────────────────────────────────────────────────────────────

    def next_height(self) -> HeightFacts:
        """The facts of the height after the head."""
        return self.facts_after(self._chain.head)

    def facts_after(self, parent: BlockHeader) -> HeightFacts:
        """The facts of the height after `parent`."""
        sets, hash_ = self._rules.sets, Hash32(parent.hash)
        height = Height(parent.number + 1)
        return HeightFacts(
            height,
            hash_,
            parent.timestamp * 1000,
            sets.validators(hash_, height),
            sets.validators(hash_, Height(height + 1)),
            sets.skipped(hash_),
            decode_certificate(parent.seal) if parent.seal else None,
        )

    def pool_head(self) -> Head:
        """The head as the pool needs it: prices are those of the next block."""
        return self._shelf.pool_head()

    def randomness_input(self, parent: Hash32, height: Height) -> bytes:
        """What the proposer of the block after `parent` proves (BFT-37)."""
        header = self._known(parent)
        return randomness_input(Hash32(header.mix_hash), height)

    # ── A block on its way ──────────────────────────────────────────────────────────────────────────────────

    def check(self, body: BlockBody) -> tuple[Hash32, Height] | None:
        """Which block these bytes are; None where they are none."""
        try:
            hash_, number = self._check_block(body.block, body.consensus_data)
        except self._faults.invalid:
            return None
        return Hash32(hash_), Height(number)

    def build(self, wish: BuildBlock) -> BlockBuilt:
        """Build a block of ours, with the first pieces of evidence that still convict (BFT-39, BFT-46).

        Raises:
            Faults.storage: the machine cannot.
        """
        convicting, outdated = self._sorted_out(wish)
        entries = wish.data.validators.validators
        recipient = next(each.fee_recipient for each in entries if each.id == wish.data.proposer)
        data = replace(wish.data, evidence=convicting[:EVIDENCE_PER_BLOCK_ITEMS_MAX]).encode()
        attributes = {
            "timestamp": wish.timestamp_s,
            "coinbase": f"0x{recipient.hex()}",
            "gas_limit_target": self._rules.gas_limit_target,
            "consensus_data": f"0x{data.hex()}",
        }
        built = self._chain.build(wish.parent, msgspec.json.encode(attributes), list(wish.transactions), None)
        return BlockBuilt(
            wish.height,
            wish.round,
            Hash32(built.hash),
            BlockBody(built.block_rlp, data),
            BlockFacts(wish.round, wish.data.proposer, wish.timestamp_s * 1000),
            [Hash32(refused) for refused, _, _ in built.refused],
            tuple(piece.offence() for piece in outdated),
        )

    def _sorted_out(self, wish: BuildBlock) -> tuple[tuple[Evidence, ...], list[Evidence]]:
        """Evidence that the block may include, and what no later one can either; this height's own waits."""
        convicting: list[Evidence] = []
        outdated: list[Evidence] = []
        for piece in wish.data.evidence[:EVIDENCE_LOOKED_AT_ITEMS_MAX]:
            if piece.first.height >= wish.height:
                continue
            counts = self._rules.sets.can_convict(wish.parent, piece.offender, piece.first.height)
            (convicting if counts else outdated).append(piece)
        return tuple(convicting), outdated

    def execute(self, body: BlockBody) -> BlockFacts | None:
        """Execute a block on the head and hold it to all rules; None for an invalid one.

        Raises:
            Overtaken: its height was decided meanwhile, so that it can no longer be judged here.
            Faults.storage: the machine cannot; nothing is known about the block.
        """
        try:
            hash_ = self._chain.execute(body.block, body.consensus_data)
            return self._verify(self._known(hash_))
        except (self._faults.invalid, self._faults.unknown, BftBlockInvalid, PrimitivesError):
            return None

    def decide(
        self, block: Hash32, certificate: CommitCertificate, senders: Sequence[Address]
    ) -> BlockDecided:
        """Write a block with its certificate into the log; it is final. `senders` wait in the pool.

        Raises:
            Faults.storage: it could not be written; the same call may be made again.
        """
        chain = self._chain
        gas_limit_before = chain.head.gas_limit
        head = self._known(block)
        if head.number > chain.head.number:
            chain.decide(block, certificate.encode())
            chain.set_finalized(block, block)
        # else: catching up was faster, and the head must not go back (BSYNC-6)
        head = chain.head
        block = Hash32(head.hash)
        changed = {
            senders[index]: Account(nonce, balance, has_code)
            for index, nonce, balance, has_code in chain.changed_accounts(block, list(senders))
        }
        return BlockDecided(
            self.facts_after(head),
            self.pool_head(),
            changed,
            [Hash32(each) for each in chain.transaction_hashes(block)],
            decode_consensus_data(head.consensus_data).evidence,
            rules_changed=head.gas_limit != gas_limit_before,
        )

    def adopt(
        self, peer: PeerId, blocks: Sequence[CertifiedBlock], senders: Sequence[Address]
    ) -> BlocksAdopted:
        """Write a peer's decided blocks into the log, each on its certificate, until one proves nothing.

        They are durable together, with the last one. A block that is here already is passed over (BSYNC-3).
        """
        chain = self._chain
        gas_limit_before, adopted = chain.head.gas_limit, list[Hash32]()
        refused = failed = differs = ""
        if self._begins_ahead(blocks):
            return BlocksAdopted(peer, None, is_ahead=True)
        try:
            for block in blocks:
                try:
                    refused = self._adopt_one(block, adopted)
                except _Differs as difference:
                    differs = str(difference)
                if refused or differs:
                    break
            if adopted:
                chain.sync()
                chain.set_finalized(adopted[-1], adopted[-1])
        except self._faults.storage as error:
            failed = str(error.args[0])
        if not adopted:
            return BlocksAdopted(peer, None, refused, failed, differs=differs)
        accounts = chain.accounts(adopted[-1], list(senders))
        decided = BlockDecided(
            self.next_height(),
            self.pool_head(),
            {sender: Account(*account) for sender, account in zip(senders, accounts, strict=True)},
            [Hash32(each) for block in adopted for each in chain.transaction_hashes(block)],
            [piece for block in adopted for piece in self._evidence_of(block)],
            rules_changed=chain.head.gas_limit != gas_limit_before,
        )
        return BlocksAdopted(peer, decided, refused, failed, differs=differs)

    def _begins_ahead(self, blocks: Sequence[CertifiedBlock]) -> bool:
        """Whether a range answers another question than the one for the next block (BSYNC-7)."""
        first = self.check(BlockBody(blocks[0].block, blocks[0].consensus_data)) if blocks else None
        return first is not None and first[1] > self._chain.head.number + 1

    def _adopt_one(self, block: CertifiedBlock, adopted: list[Hash32]) -> str:
        """Adopt the next block; why not, if it proves nothing.

        Raises:
            _Differs: it is proved final, and invalid here.
        """
        found = self.check(BlockBody(block.block, block.consensus_data))
        if found is None:
            return "bytes that are no block of this chain"
        name, height = found
        head = self._chain.head
        if height <= head.number:
            return "" if self._chain.canonical_hash(height) == name else "a block beside the final chain"
        if height > head.number + 1:
            return f"block {height} after block {head.number}"
        try:
            certificate = decode_certificate(block.certificate)
            if certificate.block != name or certificate.height != height:
                return "a certificate of another block"
            electorate = Electorate.of(self.next_height().validators)
            verify_certificate(certificate, self.genesis_hash, electorate, self._rules.verify)
        except (CertificateInvalid, PrimitivesError) as error:
            return f"a certificate that proves nothing: {error.what}"
        facts = self.execute(BlockBody(block.block, block.consensus_data))
        if facts is None:
            self.on_difference(name, height, block)
            raise _Differs(
                f"block {height} is certified, but invalid by our own execution: this node differs"
            )
        self._chain.decide(name, block.certificate, durable=False)
        adopted.append(name)
        return ""

    def _evidence_of(self, block: Hash32) -> tuple[Evidence, ...]:
        return decode_consensus_data(self._known(block).consensus_data).evidence

    # ── For others ──────────────────────────────────────────────────────────────────────────────────────────

    def body(self, block: Hash32) -> BlockBody | None:
        """A known block with its consensus data."""
        return self._shelf.body(block)

    def certificate(self, height: Height) -> CommitCertificate | None:
        """The certificate that decided a height, if it is decided."""
        block = self._chain.canonical_hash(height)
        header = None if block is None else self._chain.header(block)
        return decode_certificate(header.seal) if header is not None and header.seal else None

    def blocks(self, wish: BlockRange) -> list[CertifiedBlock]:
        """Decided blocks from a height on, at least one if there is one, as many as fit."""
        return self._shelf.blocks(wish)

    # ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────

    def _verify(self, header: BlockHeader) -> BlockFacts:
        parent = self._known(header.parent_hash)
        if header.number <= self._chain.head.number:
            raise Overtaken(f"height {header.number} is decided")
        if parent.hash != self._chain.head.hash:
            raise BftBlockInvalid("the block does not stand on the head, which is final")
        before = decode_consensus_data(parent.consensus_data).validators if parent.number else None
        hash_ = Hash32(parent.hash)
        context = BlockContext(
            self.facts_after(parent),
            before,
            Hash32(parent.mix_hash),
            lambda validator, height: self._rules.sets.can_convict(hash_, validator, height),
        )
        proposed = ProposedBlock(
            Hash32(header.hash),
            Height(header.number),
            header.timestamp,
            Address(header.coinbase),
            header.consensus_data,
        )
        return verify_bft_block(proposed, context, self.genesis_hash, self._rules.verify)

    def _known(self, block: bytes) -> BlockHeader:
        header = self._chain.header(block)
        if header is None:
            raise self._faults.unknown(f"block 0x{block.hex()} is not known")
        return header
