"""Work on blocks that takes long, done on threads, with what came of it as an input for the node.

A failure is an input too. Deciding is safe to repeat: the native core does nothing for a block that it has
decided, so after a failure half-way the same one is decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coc.adapters.flushing import Flusher, sentence_of
from coc.adapters.validator.peer_errands import Answer
from coc.adapters.validator.write_ahead import WriteAheadLog
from coc.adapters.workers import Workers
from coc.consensus.bft.messages import encode_message
from coc.consensus.bft.rules import BlockFacts
from coc.consensus.sync.messages import encode_blocks, encode_body
from coc.node.validator.chain_door import ChainDoor, Overtaken
from coc.node.validator.effects import (
    AdoptBlocks,
    BuildBlock,
    CheckBlock,
    DecideBlock,
    ExecuteBlock,
    ProveRandomness,
    SendCertificate,
    ServeBlock,
    ServeBlocks,
)
from coc.node.validator.inputs import (
    BlockBuilt,
    BlockChecked,
    BlockDecided,
    BlockExecuted,
    BlocksAdopted,
    BuildFailed,
    DecisionFailed,
    ExecutionFailed,
    Input,
    RandomnessProved,
)
from coc.node.validator.ports import SignerPort
from coc.primitives.types import Address, Hash32, Height
from coc.wire import kinds


class BlockErrands:
    """The thread side of agreeing on blocks."""

    def __init__(
        self,
        door: ChainDoor,
        workers: tuple[Workers, Workers],
        flusher: Flusher,
        feed: Callable[[Input], None],
    ) -> None:
        """`workers` are any number of threads, and the one that moves the head; `feed` tells the node."""
        self._door = door
        self._workers, self._deciders = workers
        self._flusher = flusher
        self._feed = feed

    def check(self, effect: CheckBlock) -> None:
        """Find out which block a peer sent; answered by `BlockChecked`."""

        def done(found: tuple[Hash32, Height] | Exception | None) -> None:
            name, height = (None, Height(0)) if found is None or isinstance(found, Exception) else found
            self._feed(BlockChecked(effect.peer, name, height, effect.body))

        self._workers.run(lambda: self._door.check(effect.body), done)

    def prove(self, effect: ProveRandomness, signer: SignerPort) -> None:
        """Have the randomness of a block proved; answered by `RandomnessProved`."""

        def work() -> bytes:
            return signer.prove(self._door.randomness_input(effect.parent, effect.height))

        def done(proof: bytes | Exception) -> None:
            if isinstance(proof, Exception):
                self._feed(BuildFailed(f"the signer makes no VRF proof: {sentence_of(proof)}"))
            else:
                self._feed(RandomnessProved(effect.height, effect.round, proof))

        self._workers.run(work, done)

    def build(self, effect: BuildBlock) -> None:
        """Build a block; answered by `BlockBuilt` or `BuildFailed`."""

        def done(result: BlockBuilt | Exception) -> None:
            if isinstance(result, Exception):
                self._feed(BuildFailed(f"a block cannot be built: {sentence_of(result)}"))
            else:
                self._feed(result)

        self._workers.run(lambda: self._door.build(effect), done)

    def execute(self, effect: ExecuteBlock) -> None:
        """Execute a block; answered by `BlockExecuted` or `ExecutionFailed`."""

        def done(facts: BlockFacts | Exception | None) -> None:
            if isinstance(facts, Overtaken):
                return
            if isinstance(facts, Exception):
                self._feed(ExecutionFailed(effect.hash, sentence_of(facts)))
            else:
                self._feed(BlockExecuted(effect.hash, facts))

        self._workers.run(lambda: self._door.execute(effect.body), done)

    def decide(
        self,
        effect: DecideBlock,
        known: Sequence[Address],
        wal: WriteAheadLog | None,
        on_block: Callable[[], None],
    ) -> None:
        """Write a decided block; answered by `BlockDecided` or `DecisionFailed`."""

        def work() -> BlockDecided:
            decided = self._door.decide(effect.hash, effect.certificate, known)
            if wal is not None:
                wal.begin_height()
            return decided

        def done(result: BlockDecided | Exception) -> None:
            if isinstance(result, Exception):
                self._feed(DecisionFailed(sentence_of(result)))
                return
            on_block()
            self._feed(result)
            self._flusher.flush_if_due()

        self._deciders.run(work, done)

    def adopt(self, effect: AdoptBlocks, known: Sequence[Address], on_block: Callable[[], None]) -> None:
        """Write decided blocks of a peer; answered by `BlocksAdopted`."""

        def done(result: BlocksAdopted | Exception) -> None:
            if isinstance(result, Exception):
                self._feed(BlocksAdopted(effect.peer, None, failed=sentence_of(result)))
                return
            if result.decided is not None:
                on_block()
            self._feed(result)
            self._flusher.flush_if_due()

        self._deciders.run(lambda: self._door.adopt(effect.peer, effect.blocks, known), done)

    def answer(self, effect: SendCertificate | ServeBlock | ServeBlocks) -> Answer | None:
        """What a peer asked for, read from the chain; to be called on a thread."""
        match effect:
            case SendCertificate():
                certificate = self._door.certificate(effect.height)
                return None if certificate is None else (kinds.CONSENSUS.number, encode_message(certificate))
            case ServeBlock():
                body = self._door.body(effect.block)
                if body is None:
                    return (kinds.NO_BLOCK.number, effect.block)
                return (kinds.BLOCK.number, encode_body(body))
            case ServeBlocks():
                return (kinds.BLOCKS.number, encode_blocks(self._door.blocks(effect.wish)))
