"""The disk and the signer of a simulated validator: what a crash takes, and what it cannot.

What was appended and not yet fsynced survives a crash up to a point drawn by lot. The log of decided blocks,
the durable records and the signer's mark always survive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from coc.consensus.bft.rules import BlockFacts
from coc.consensus.bft.wal import BlockKept, Intent, Record
from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest
from coc.primitives.types import Address, Hash32, Height, Signature
from coc.primitives.votes import CommitCertificate
from coc.sim.bft_crypto import Key


@frozen
class SimBlock:
    """A block of a simulated run: no transactions, only what consensus looks at."""

    hash: Hash32
    height: Height
    parent: Hash32
    facts: BlockFacts
    is_valid: bool

    @property
    def proposer(self) -> Address:
        """Who made it."""
        return self.facts.proposer


@dataclass(slots=True)
class Disk:
    """A validator's write-ahead log, block bytes and log of decided blocks."""

    durable: list[Record] = field(default_factory=list)
    unsynced: list[Record] = field(default_factory=list)
    blocks: set[Hash32] = field(default_factory=set)
    log: list[tuple[SimBlock, CommitCertificate]] = field(default_factory=list)

    def append(self, *records: Record) -> None:
        """Append without fsync."""
        self.unsynced.extend(records)

    def sync(self) -> None:
        """Make everything appended durable."""
        self._settle(len(self.unsynced))

    def crash(self, dice: Random) -> None:
        """Lose what was not fsynced, from a point drawn by lot."""
        self._settle(dice.randint(0, len(self.unsynced)))
        self.unsynced.clear()

    def has_intent(self, request: SignRequest) -> bool:
        """Whether the intent to sign this is durable."""
        return any(isinstance(record, Intent) and record.request == request for record in self.durable)

    def end_height(self, block: SimBlock, certificate: CommitCertificate) -> None:
        """Write a decided block; the records of its height have served."""
        self.log.append((block, certificate))
        self.blocks.add(block.hash)
        self.durable.clear()
        self.unsynced.clear()

    def _settle(self, count: int) -> None:
        for record in self.unsynced[:count]:
            self.durable.append(record)
            if isinstance(record, BlockKept):
                self.blocks.add(record.block)
        del self.unsynced[:count]


@dataclass(slots=True)
class SimSigner:
    """A signer with a mark: the last place it signed, and the request and signature of that place."""

    key: Key
    last: tuple[SignRequest, Signature] | None = None

    def sign(self, request: SignRequest) -> Signature | None:
        """Sign a later place than the last, or the very same request again; else None."""
        if self.last is not None:
            if request == self.last[0]:
                return self.last[1]
            if _place(request) <= _place(self.last[0]):
                return None
        signature = self.key.sign(request.digest())
        self.last = (request, signature)
        return signature


def _place(request: SignRequest) -> tuple[int, int, int]:
    return (request.height, request.round, request.step)
