"""What the handlers of a BFT node share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from coc.consensus.bft.machine import BftMachine
from coc.consensus.bft.rules import HeightFacts
from coc.consensus.sync.block_sync import BlockSync
from coc.execution.mempool.pool import Mempool
from coc.node.validator.blocks import BlockStash
from coc.node.validator.effects import DecideBlock, ExecuteBlock
from coc.node.validator.validator_search import ValidatorSearch
from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, PeerId
from coc.primitives.validators import Validator
from coc.primitives.votes import CommitCertificate
from coc.wire.dht.machine import Dht
from coc.wire.dht.records import Claim
from coc.wire.transaction_gossip.machine import TransactionGossip


@frozen
class Discovery:
    """The table of nodes, and what this one claims about itself there."""

    table: Dht
    claim: Claim
    search: ValidatorSearch
    """Of validators who are not connected."""


class Commons(Protocol):
    """What the handlers that every engine's node has need of it."""

    @property
    def own(self) -> Address | None:
        """Its validator id, None for one that only follows."""
        ...

    @property
    def gossip(self) -> TransactionGossip:
        """Who has which transaction."""
        ...

    @property
    def discovery(self) -> Discovery | None:
        """The table of nodes; None for a node that is told whom to meet."""
        ...

    @property
    def pool(self) -> Mempool:
        """What waits."""
        ...

    @property
    def peers(self) -> dict[PeerId, None]:
        """Who is connected."""
        ...

    @property
    def told_genesis(self) -> set[PeerId]:
        """Peers that were given the genesis over the connection they have."""
        ...

    @property
    def voters(self) -> tuple[Validator, ...]:
        """Who makes blocks, now or soon."""
        ...


@frozen
class Setup:
    """What a node is built with; `own` is its validator id, None for one that only follows."""

    own: Address | None
    first_height: HeightFacts
    gossip: TransactionGossip
    discovery: Discovery | None = None
    """None for a node that is told whom to meet."""


@frozen
class BuildWish:
    """A block that the engine wants, while its VRF proof is being made."""

    height: int
    round: int
    certificate: CommitCertificate | None


@dataclass(slots=True)
class Core:
    """The parts of a node, and what is under way between them."""

    setup: Setup
    engine: BftMachine
    pool: Mempool
    blocks: BlockStash = field(default_factory=BlockStash)
    peers: dict[PeerId, None] = field(default_factory=dict)
    told_genesis: set[PeerId] = field(default_factory=set)
    """Peers that were given the genesis over the connection they have."""
    sync: BlockSync = field(init=False)
    """Catching up, where more than a height is missing."""
    facts: HeightFacts = field(init=False)
    """Those of the height in progress."""
    wish: BuildWish | None = None
    refused: tuple[Hash32, ...] = ()
    """Transactions that the last block built had no use for; judged again on the next head."""
    deciding: DecideBlock | None = None
    """The decision of the height in progress, once there is one."""
    unwritten: DecideBlock | None = None
    """A decision that the log had no room for."""
    unexecuted: dict[Hash32, ExecuteBlock] = field(default_factory=dict)
    """Blocks that this machine could not execute, to be tried again."""

    def __post_init__(self) -> None:
        """Begin at the height that the engine begins at."""
        self.facts = self.setup.first_height
        self.sync = BlockSync(self.facts.height)

    @property
    def own(self) -> Address | None:
        """Its validator id, None for one that only follows."""
        return self.setup.own

    @property
    def gossip(self) -> TransactionGossip:
        """Who has which transaction."""
        return self.setup.gossip

    @property
    def discovery(self) -> Discovery | None:
        """The table of nodes; None for a node that is told whom to meet."""
        return self.setup.discovery

    @property
    def voters(self) -> tuple[Validator, ...]:
        """Who votes on this height or the next."""
        return (*self.facts.validators.validators, *self.facts.next_validators.validators)
