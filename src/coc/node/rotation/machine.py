"""A node of a rotation chain as one machine: what passes between engine, mempool, gossip and peers.

The dispatch; what is more than passing on lies in `engine_side.py` and `peer_side.py`.
"""

from __future__ import annotations

from typing import assert_never

from coc.consensus import engine
from coc.consensus.rotation.machine import RotationMachine
from coc.consensus.rotation.rules import BlockFacts
from coc.consensus.sync.messages import BlockBody
from coc.execution.mempool.inputs import JournalFailed, Judged, Submit
from coc.execution.mempool.pool import Mempool
from coc.node.inputs import Arrived
from coc.node.rotation import engine_side, peer_side
from coc.node.rotation.core import Core, Setup
from coc.node.rotation.effects import Effect
from coc.node.rotation.inputs import (
    BlockJudged,
    BlockRead,
    BlockRecorded,
    Input,
    MoveFailed,
    RangeRead,
    RecordFailed,
    RotationTimer,
    SlotBlockBuilt,
    TagsMoved,
)
from coc.node.validator import dht_side, gossip_side
from coc.node.validator.effects import Alarm
from coc.node.validator.inputs import (
    BuildFailed,
    DhtTimer,
    DialFailed,
    ExecutionFailed,
    GossipTimer,
    LogFailed,
    Logged,
    MessageReceived,
    PeerDown,
    PeerUp,
    RecordSigned,
    Signed,
    SigningRefused,
    Start,
)
from coc.primitives.types import Height, Millis


class RotationNode:
    """One node: it makes blocks in its slots, or follows those who do."""

    def __init__(self, setup: Setup, machine: RotationMachine, pool: Mempool) -> None:
        """The machine's head is the block that the pool stands on."""
        self._core = Core(setup, machine, pool)
        self.pool = pool

    @property
    def engine(self) -> RotationMachine:
        """The engine, for whoever shows where it stands."""
        return self._core.engine

    @property
    def goal(self) -> Height:
        """The height of the highest head, ours or a peer's."""
        return max([self._core.engine.head.height, *self._core.heads.values()])

    def hold_block(self, facts: BlockFacts, body: BlockBody) -> None:
        """Take the bytes of a block that the write-ahead log kept; before the first step."""
        self._core.bodies.keep(facts, body)

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        core = self._core
        match event:
            case Start():
                opened = engine_side.engine_step(core, now_ms, engine.Started())
                return [*opened, *dht_side.on_start(core, now_ms)]
            case RotationTimer():
                return engine_side.on_timer(core, now_ms, event)
            case GossipTimer():
                return [*gossip_side.on_gossip_timer(core, now_ms)]
            case DhtTimer():
                return [*dht_side.on_timer(core, now_ms, event)]
            case DialFailed():
                return [*dht_side.on_dial_failed(core, now_ms, event)]
            case RecordSigned():
                return [*dht_side.on_record_signed(core, now_ms, event)]
            case PeerUp():
                return peer_side.on_peer_up(core, now_ms, event)
            case PeerDown():
                return peer_side.on_peer_down(core, now_ms, event)
            case MessageReceived():
                return peer_side.on_message(core, now_ms, event)
            case BlockRead():
                return peer_side.on_block_read(core, now_ms, event)
            case RangeRead():
                return peer_side.on_range_read(core, now_ms, event)
            case SlotBlockBuilt():
                return engine_side.on_built(core, now_ms, event)
            case BuildFailed():
                return [Alarm("building", event.reason)]
            case BlockJudged():
                return engine_side.on_judged(core, now_ms, event)
            case ExecutionFailed():
                return engine_side.on_execution_failed(core, event)
            case BlockRecorded():
                return engine_side.on_recorded(core, now_ms, event)
            case RecordFailed():
                return engine_side.on_record_failed(core, event)
            case TagsMoved():
                return engine_side.on_moved(core, now_ms, event)
            case MoveFailed():
                return engine_side.on_move_failed(core, event)
            case Logged():
                return engine_side.on_logged(core, now_ms, event)
            case LogFailed():
                failed = engine.PersistFailed(event.sequence, event.reason)
                return engine_side.engine_step(core, now_ms, failed)
            case Signed():
                return engine_side.on_signed(core, now_ms, event)
            case SigningRefused():
                refused = engine.SignatureRefused(event.request, event.reason)
                return engine_side.engine_step(core, now_ms, refused)
            case Arrived():
                submit = Submit(event.head, event.origin, event.candidates)
                return [*gossip_side.pool_step(core, now_ms, submit)]
            case Judged() | JournalFailed():
                return [*gossip_side.pool_step(core, now_ms, event)]
            case _:
                assert_never(event)
