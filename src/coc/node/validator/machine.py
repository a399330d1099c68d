"""A node of a BFT chain as one machine: what passes between engine, mempool, gossip and peers.

The dispatch; what is more than passing on lies in `consensus_side.py` and `peer_side.py`. A decided block
moves the pool to its head before the engine opens the next height, so that a block built there stands on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

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
        core = self._core
        match event:  # the most frequent first: each case that fails costs
            case MessageReceived():
                return peer_side.on_message(core, now_ms, event)
            case GossipTimer():
                return [*gossip_side.on_gossip_timer(core, now_ms)]
            case ConsensusTimer():
                return consensus_side.on_timer(core, now_ms, event)
            case Arrived():
                submit = Submit(event.head, event.origin, event.candidates)
                return [*gossip_side.pool_step(core, now_ms, submit)]
            case Logged():
                return consensus_side.on_logged(core, now_ms, event)
            case Signed():
                made = bft.SignatureMade(event.request, event.signature)
                return consensus_side.engine_step(core, now_ms, made)
            case BlockChecked():
                return peer_side.on_block_checked(core, now_ms, event)
            case BlockExecuted():
                return consensus_side.engine_step(core, now_ms, bft.Executed(event.hash, event.facts))
            case BlockDecided():
                return self._on_decided(now_ms, event)
            case RandomnessProved():
                return consensus_side.on_randomness(core, now_ms, event)
            case BlockBuilt():
                return consensus_side.on_built(core, now_ms, event)
            case BlocksAdopted():
                decided = [] if event.decided is None else self._on_decided(now_ms, event.decided)
                return [*decided, *sync_side.after_adopting(core, now_ms, event)]
            case SyncTimer():
                return sync_side.sync_step(core, now_ms, block_sync.TimerFired())
            case Start():
                opened = consensus_side.engine_step(core, now_ms, bft.Started())
                return [*opened, *dht_side.on_start(core, now_ms)]
            case PeerUp():
                return peer_side.on_peer_up(core, now_ms, event)
            case PeerDown():
                return peer_side.on_peer_down(core, now_ms, event)
            case DhtTimer():
                return [*dht_side.on_timer(core, now_ms, event)]
            case DialFailed():
                return [*dht_side.on_dial_failed(core, now_ms, event)]
            case RecordSigned():
                return [*dht_side.on_record_signed(core, now_ms, event)]
            case BuildFailed():
                return [Alarm("building", event.reason)]
            case ExecutionFailed():
                return consensus_side.on_execution_failed(core, event)
            case DecisionFailed():
                return consensus_side.on_decision_failed(core, event)
            case LogFailed():
                failed = bft.PersistFailed(event.sequence, event.reason)
                return consensus_side.engine_step(core, now_ms, failed)
            case SigningRefused():
                refused = bft.SignatureRefused(event.request, event.reason)
                return consensus_side.engine_step(core, now_ms, refused)
            case Judged() | JournalFailed():
                return [*gossip_side.pool_step(core, now_ms, event)]
            case _:
                assert_never(event)

    def _on_decided(self, now_ms: Millis, event: BlockDecided) -> list[Effect]:
        core = self._core
        if event.facts.height <= core.facts.height:
            return []  # catching up and the engine came to the same block
        moved = HeadChanged(event.pool_head, event.changed, event.included, rules_changed=event.rules_changed)
        of_pool = gossip_side.pool_step(core, now_ms, moved)
        # The engine's effects go first: a journal that cannot be written must not swallow them.
        opened = consensus_side.on_decided(core, now_ms, event)
        on = sync_side.sync_step(core, now_ms, block_sync.Adopted(event.facts.height))
        return [*opened, *on, *of_pool]
