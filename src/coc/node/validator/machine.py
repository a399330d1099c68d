"""A node of a BFT chain as one machine: what passes between engine, mempool, gossip and peers.

The dispatch, by class as the engine's; what is more than passing on lies in `consensus_side.py` and
`peer_side.py`. A decided block moves the pool to its head before the engine opens the next height, so that a
block built there stands on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from coc.consensus.bft import inputs as bft
from coc.consensus.bft.machine import BftMachine
from coc.consensus.sync import block_sync
from coc.consensus.sync.messages import BlockBody
from coc.execution.mempool.inputs import HeadChanged, JournalFailed, Judged, Submit
from coc.execution.mempool.pool import Mempool
from coc.node.inputs import Arrived
from coc.node.validator import consensus_side, dht_side, gossip_side, peer_side, sync_side
from coc.node.validator.core import Core, Setup
from coc.node.validator.effects import Alarm, Effect
from coc.node.validator.inputs import (
    BlockBuilt,
    BlockChecked,
    BlockDecided,
    BlockExecuted,
    BlocksAdopted,
    BuildFailed,
    ConsensusTimer,
    DecisionFailed,
    DhtTimer,
    DialFailed,
    ExecutionFailed,
    GossipTimer,
    Input,
    LogFailed,
    Logged,
    MessageReceived,
    PeerDown,
    PeerUp,
    RandomnessProved,
    RecordSigned,
    Signed,
    SigningRefused,
    Start,
    SyncTimer,
)
from coc.primitives.types import Hash32, Height, Millis

Handler: TypeAlias = Callable[[Core, Millis, Any], list[Any]]
"""What happens upon an input of one class; some sides of the node know fewer effects than it has."""


class ValidatorNode:
    """One node: it agrees with others on blocks, or follows them."""

    def __init__(self, setup: Setup, engine: Callable[[], BftMachine], pool: Mempool) -> None:
        """`engine` makes the machine, which stands on the same head as the pool."""
        self._core = Core(setup, engine(), pool)
        self.pool = pool

    @property
    def engine(self) -> BftMachine:
        """The engine, for whoever shows where it stands."""
        return self._core.engine

    @property
    def goal(self) -> Height:
        """The height that the furthest peer works on; our own if nobody is ahead."""
        return self._core.sync.goal

    def hold_block(self, block: Hash32, height: Height, body: BlockBody) -> None:
        """Take the bytes of a block that the write-ahead log kept; before the first step."""
        self._core.blocks.keep(block, height, body)

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        return HANDLERS[type(event)](self._core, now_ms, event)


def _engine_told(event_of: Callable[[Any], bft.Input]) -> Handler:
    """A handler that only says to the engine what has happened."""
    return lambda core, now_ms, event: consensus_side.engine_step(core, now_ms, event_of(event))


def _on_start(core: Core, now_ms: Millis, _event: Start) -> list[Effect]:
    opened = consensus_side.engine_step(core, now_ms, bft.Started())
    return [*opened, *dht_side.on_start(core, now_ms)]


def _on_arrived(core: Core, now_ms: Millis, event: Arrived) -> list[Effect]:
    submit = Submit(event.head, event.origin, event.candidates)
    return [*gossip_side.pool_step(core, now_ms, submit)]


def _on_pool_input(core: Core, now_ms: Millis, event: Judged | JournalFailed) -> list[Effect]:
    return [*gossip_side.pool_step(core, now_ms, event)]


def _on_gossip_timer(core: Core, now_ms: Millis, _event: GossipTimer) -> list[Effect]:
    return [*gossip_side.on_gossip_timer(core, now_ms)]


def _on_sync_timer(core: Core, now_ms: Millis, _event: SyncTimer) -> list[Effect]:
    return sync_side.sync_step(core, now_ms, block_sync.TimerFired())


def _on_decided(core: Core, now_ms: Millis, event: BlockDecided) -> list[Effect]:
    if event.facts.height <= core.facts.height:
        return []  # catching up and the engine came to the same block
    moved = HeadChanged(event.pool_head, event.changed, event.included, rules_changed=event.rules_changed)
    of_pool = gossip_side.pool_step(core, now_ms, moved)
    # The engine's effects go first: a journal that cannot be written must not swallow them.
    opened = consensus_side.on_decided(core, now_ms, event)
    on = sync_side.sync_step(core, now_ms, block_sync.Adopted(event.facts.height))
    return [*opened, *on, *of_pool]


def _on_adopted(core: Core, now_ms: Millis, event: BlocksAdopted) -> list[Effect]:
    decided = [] if event.decided is None else _on_decided(core, now_ms, event.decided)
    return [*decided, *sync_side.after_adopting(core, now_ms, event)]


HANDLERS: Final[Mapping[type[Input], Handler]] = {
    Start: _on_start,
    MessageReceived: peer_side.on_message,
    PeerUp: peer_side.on_peer_up,
    PeerDown: peer_side.on_peer_down,
    GossipTimer: _on_gossip_timer,
    ConsensusTimer: consensus_side.on_timer,
    SyncTimer: _on_sync_timer,
    Arrived: _on_arrived,
    Judged: _on_pool_input,
    JournalFailed: _on_pool_input,
    Logged: consensus_side.on_logged,
    LogFailed: _engine_told(lambda event: bft.PersistFailed(event.sequence, event.reason)),
    Signed: _engine_told(lambda event: bft.SignatureMade(event.request, event.signature)),
    SigningRefused: _engine_told(lambda event: bft.SignatureRefused(event.request, event.reason)),
    RandomnessProved: consensus_side.on_randomness,
    BlockChecked: peer_side.on_block_checked,
    BlockBuilt: consensus_side.on_built,
    BuildFailed: lambda _core, _now_ms, event: [Alarm("building", event.reason)],
    BlockExecuted: _engine_told(lambda event: bft.Executed(event.hash, event.facts)),
    ExecutionFailed: lambda core, _now_ms, event: consensus_side.on_execution_failed(core, event),
    BlockDecided: _on_decided,
    DecisionFailed: lambda core, _now_ms, event: consensus_side.on_decision_failed(core, event),
    BlocksAdopted: _on_adopted,
    DhtTimer: dht_side.on_timer,
    DialFailed: dht_side.on_dial_failed,
    RecordSigned: dht_side.on_record_signed,
}
"""What is done upon every input."""
