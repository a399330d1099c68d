"""What a simulated validator keeps: block log, write-ahead log, final block, signer's mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from coc.consensus.bft.wal import BlockKept, Intent, Record
from coc.consensus.rotation.rules import BlockFacts, FinalBlock, SealedFacts
from coc.consensus.signing_mark import BelowMark, judge_by_slot
from coc.primitives.frozen import frozen
from coc.primitives.seals import Seal, SignRequest
from coc.primitives.types import Hash32, Height, Signature
from coc.sim.bft_crypto import Key
from coc.sim.rotation.plan import GENESIS


@frozen
class SimBlock:
    """A block of a simulated run: no transactions, only what consensus looks at."""

    facts: BlockFacts
    is_valid: bool = True


@dataclass(slots=True)
class Disk:
    """A crash takes what was not fsynced, from a point drawn by lot; block log and final block stay."""

    durable: list[Record] = field(default_factory=list)
    unsynced: list[Record] = field(default_factory=list)
    bodies: dict[Hash32, SimBlock] = field(default_factory=dict)
    """Bytes of blocks that the write-ahead log holds."""
    log: dict[Hash32, tuple[SimBlock, Seal]] = field(default_factory=dict)
    head: Hash32 = GENESIS
    final: Hash32 = GENESIS

    def sync(self) -> None:
        """Make everything appended durable."""
        self.durable += self.unsynced
        self.unsynced.clear()

    def crash(self, dice: Random) -> None:
        """Lose what was not fsynced."""
        self.durable += self.unsynced[: dice.randint(0, len(self.unsynced))]
        self.unsynced.clear()

    def wipe(self) -> None:
        """Lose the write-ahead log."""
        self.durable.clear()
        self.bodies.clear()

    def has_intent(self, request: SignRequest) -> bool:
        """Whether the intent to sign this is durable."""
        return any(isinstance(record, Intent) and record.request == request for record in self.durable)

    def kept(self) -> tuple[BlockFacts, ...]:
        """Blocks whose bytes are durable."""
        named = (record.block for record in self.durable if isinstance(record, BlockKept))
        return tuple(self.bodies[block].facts for block in named if block in self.bodies)

    def final_block(self) -> FinalBlock:
        """The final block."""
        if self.final == GENESIS:
            return FinalBlock(GENESIS, Height(0), 0)
        block, seal = self.log[self.final]
        return FinalBlock(self.final, block.facts.height, block.facts.slot, seal)

    def chain(self) -> tuple[SealedFacts, ...]:
        """The blocks from above the final one to the head."""
        found: list[SealedFacts] = []
        at = self.head
        while at not in (self.final, GENESIS):
            block, seal = self.log[at]
            found.append(SealedFacts(block.facts, seal))
            at = block.facts.parent
        return tuple(reversed(found))


@dataclass(slots=True)
class SimSigner:
    """A signer with a mark."""

    key: Key
    mark: SignRequest | None = None

    def sign(self, request: SignRequest) -> Signature | str:
        """A signature, or why there is none."""
        verdict = judge_by_slot(self.mark, request)
        if isinstance(verdict, BelowMark):
            return verdict.reason
        self.mark = request
        return self.key.sign(request.digest())
