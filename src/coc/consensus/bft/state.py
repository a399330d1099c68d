"""What the machine knows: the height in progress and what outlives a height."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field

from coc.consensus.bft.certificates import LastCommit
from coc.consensus.bft.evidence import EvidencePool
from coc.consensus.bft.inputs import PeerId
from coc.consensus.bft.ledger import VoteLedger
from coc.consensus.bft.messages import Phase, Status
from coc.consensus.bft.outbox import Outbox
from coc.consensus.bft.power import Electorate
from coc.consensus.bft.proposers import proposer_of
from coc.consensus.bft.rules import BlockFacts, HeightFacts, Lock, Setup
from coc.consensus.bft.vote_count import VoteCount
from coc.primitives.limits_consensus import BLOCKS_IN_SIGHT_MAX
from coc.primitives.seals import Step
from coc.primitives.types import Address, Hash32, Millis
from coc.primitives.votes import CommitCertificate, Proposal, Signed


class Sight(enum.Enum):
    """What is known of a block."""

    SOUGHT = "sought"
    HELD = "held"
    EXECUTING = "executing"
    VALID = "valid"
    INVALID = "invalid"

    @property
    def is_here(self) -> bool:
        """Whether the bytes are held."""
        return self is not Sight.SOUGHT


@dataclass(slots=True)
class HeightState:
    """One height: the variables of the paper (L1 to L9), the votes, and what is known of blocks."""

    facts: HeightFacts
    electorate: Electorate
    next_electorate: Electorate
    votes: VoteLedger
    due_ms: Millis
    round: int = 0
    phase: Phase = Phase.PROPOSE
    locked: Lock | None = None
    valid: Lock | None = None
    proposals: dict[int, Proposal] = field(default_factory=dict)
    sights: dict[Hash32, Sight] = field(default_factory=dict)
    block_facts: dict[Hash32, BlockFacts] = field(default_factory=dict)
    certificate: CommitCertificate | None = None
    done: set[tuple[str, int]] = field(default_factory=set)
    """Lines of the paper that happen once a round, and did."""
    intended: set[tuple[int, Step]] = field(default_factory=set)
    """Places for which we signed something, or mean to."""
    kept: set[Hash32] = field(default_factory=set)
    """Blocks whose bytes are durable, or will be with the next record."""
    is_settled: bool = False
    """Whether no line of the paper applied when all were last tried; a vote alone may leave it so."""

    @classmethod
    def opened(cls, facts: HeightFacts, due: Millis) -> HeightState:
        """A height before its first round."""
        electorate = Electorate.of(facts.validators)
        following = (
            electorate if facts.next_validators is facts.validators else Electorate.of(facts.next_validators)
        )
        return cls(facts, electorate, following, VoteLedger(electorate), due)

    def proposer(self, round_: int) -> Address:
        """Who proposes in a round of this height (BFT-4)."""
        facts = self.facts
        return proposer_of(facts.validators, facts.skipped, facts.height, round_).id

    def once(self, line: str, round_: int) -> bool:
        """True the first time it is asked for a line in a round."""
        if (line, round_) in self.done:
            return False
        self.done.add((line, round_))
        return True

    def see(self, block: Hash32, sight: Sight) -> None:
        """Note what is known of a block; the oldest that nothing points to makes room."""
        self.sights[block] = sight
        self.is_settled = False
        if len(self.sights) <= BLOCKS_IN_SIGHT_MAX:
            return
        pointed = {lock.block for lock in (self.locked, self.valid) if lock} | {block}
        pointed |= {proposal.block for proposal in self.proposals.values() if proposal.round >= self.round}
        if self.certificate:
            pointed.add(self.certificate.block)
        forgotten = next((known for known in self.sights if known not in pointed), None)
        if forgotten is not None:
            del self.sights[forgotten]
            self.block_facts.pop(forgotten, None)


@dataclass(slots=True)
class Peer:
    """What a peer last said, and when it was last answered."""

    status: Status | None = None
    answered_ms: int = -(10**12)


@dataclass(slots=True)
class Core:
    """Everything the handlers share."""

    setup: Setup
    height: HeightState
    outbox: Outbox = field(default_factory=Outbox)
    evidence: EvidencePool = field(default_factory=EvidencePool)
    peers: dict[PeerId, Peer] = field(default_factory=dict)
    last: LastCommit | None = None
    early: dict[Address, deque[tuple[PeerId, Signed]]] = field(default_factory=dict)
    """Authentic messages for the next height, by author."""
    vote_count: VoteCount = field(default_factory=VoteCount)
    is_watching: bool = False
    """Our write-ahead log is lost, so nothing is signed yet (BFT-41)."""
    has_diverged: bool = False
    """A block of this height is certified and invalid here, so nothing is signed (BFT-11)."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing may be signed now."""
        return self.is_watching or self.has_diverged

    @property
    def own_position(self) -> int | None:
        """Where we stand in the height's set, None if nowhere."""
        own = self.setup.own
        return None if own is None else self.height.electorate.position(own)
