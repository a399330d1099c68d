"""What the handlers of a rotation node share."""

from __future__ import annotations

from dataclasses import dataclass, field

from coc.consensus.rotation.machine import RotationMachine
from coc.consensus.rotation.messages import Status
from coc.consensus.rotation.rules import NetworkRules
from coc.execution.mempool.pool import Mempool
from coc.node.rotation.bodies import Bodies
from coc.node.rotation.effects import MoveTags, RecordBlock
from coc.node.validator.core import Discovery
from coc.primitives.frozen import frozen, replace
from coc.primitives.types import Address, Hash32, Height, Millis, PeerId
from coc.primitives.validators import Validator
from coc.wire.transaction_gossip.machine import TransactionGossip


@frozen
class Setup:
    """What a node is built with; `own` is its validator id, None for one that only follows."""

    own: Address | None
    rules: NetworkRules
    gossip: TransactionGossip
    discovery: Discovery | None = None
    """None for a node that is told whom to meet."""


@frozen
class Source:
    """A peer that is asked for its chain; `at_ms` is when it was asked, or answered, last."""

    peer: PeerId
    at_ms: Millis
    is_asked: bool


@dataclass(slots=True)
class Core:
    """The parts of a node, and what is under way between them."""

    setup: Setup
    engine: RotationMachine
    pool: Mempool
    bodies: Bodies = field(default_factory=Bodies)
    peers: dict[PeerId, None] = field(default_factory=dict)
    told_genesis: set[PeerId] = field(default_factory=set)
    """Peers that were given the genesis over the connection they have."""
    heads: dict[PeerId, Height] = field(default_factory=dict)
    """Heights that peers say their heads have."""
    source: Source | None = None
    """Whose chain is fetched in ranges: one peer's at a time, or each block would come from all."""
    refused: tuple[Hash32, ...] = ()
    """Transactions that the last block built had no use for; judged again on the next head."""
    moving: MoveTags | None = None
    """Tags that are being written."""
    next_move: MoveTags | None = None
    """The newest that came after them."""
    final_written: int = 0
    """Height of the newest final block whose name is durable: of no later one is anybody told (ROT-23)."""
    unexecuted: dict[Hash32, None] = field(default_factory=dict)
    """Blocks that are to be executed and were not: their bytes had to go, or this machine could not."""
    unwritten: dict[Hash32, RecordBlock] = field(default_factory=dict)
    """Blocks that the log had no room for."""

    @property
    def status(self) -> Status:
        """Where we stand, as far as no power cut can take it back."""
        return replace(self.engine.status, final=Height(self.final_written))

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
        """Who makes blocks: the set of genesis."""
        return self.setup.rules.slots.validators.validators
