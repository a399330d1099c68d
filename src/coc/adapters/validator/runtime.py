"""Running a node of a BFT chain: one loop, threads for what takes long, ports that perform its effects.

Every `step` runs on the loop's thread, one input at a time, consensus inputs before all others; all effects
of a step are performed, in order, before the next input. What fails is an input too: the machine decides what
to do about it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar, assert_never

from coc._native import Chain, StorageFailed
from coc.adapters.flushing import Flusher, sentence_of
from coc.adapters.journal_keeper import JournalKeeper
from coc.adapters.telemetry import Telemetry
from coc.adapters.transaction_desk import TransactionDesk
from coc.adapters.validator.block_errands import BlockErrands
from coc.adapters.validator.consensus_metrics import ConsensusMetrics
from coc.adapters.validator.peer_errands import Introduction, PeerErrands
from coc.adapters.validator.write_ahead import WriteAheadLog
from coc.adapters.wire.network import Network
from coc.adapters.workers import Workers
from coc.consensus.bft.inputs import Timer, TimerKind
from coc.execution.mempool.effects import (
    Acknowledge,
    Added,
    BecameReady,
    Dropped,
    Evicted,
    Included,
    JournalAppend,
    JournalRewrite,
    JudgeAgain,
    Refuse,
    Replaced,
)
from coc.execution.mempool.inputs import JournalFailed, Judged
from coc.node.inputs import Arrived
from coc.node.validator.chain_door import ChainDoor
from coc.node.validator.effects import (
    AddressesFound,
    AdoptBlocks,
    Alarm,
    AppendRecord,
    BuildBlock,
    CheckBlock,
    DecideBlock,
    DialNode,
    Effect,
    EvidenceSeen,
    ExecuteBlock,
    Misbehaved,
    ProveRandomness,
    Send,
    SendAll,
    SendCertificate,
    ServeBlock,
    ServeBlocks,
    ServeGenesis,
    SetConsensusTimer,
    SetDhtTimer,
    SetGossipTimer,
    SetSyncTimer,
    Sign,
    SignRecord,
    SubmitFromPeer,
    WriteAhead,
)
from coc.node.validator.inputs import (
    ConsensusTimer,
    DhtTimer,
    DialFailed,
    GossipTimer,
    Input,
    LogFailed,
    Logged,
    MessageReceived,
    PeerContact,
    PeerDown,
    PeerUp,
    RecordSigned,
    Signed,
    SigningRefused,
    Start,
    SyncTimer,
)
from coc.node.validator.machine import ValidatorNode
from coc.node.validator.ports import SignerPort
from coc.node.validator.signer import SigningRefused as SignerSaysNo
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.types import Hash32, Millis, PeerId
from coc.primitives.validators import ValidatorSet
from coc.rpc.ports import Accepted, Refused
from coc.wire.identity import PeerFacts
from coc.wire.kinds import KINDS, Kind, MessageClass

T = TypeVar("T")
Done = Callable[[Exception | None], None]

WAL, AGREEING = "write-ahead log", "agreeing"
"""Parts that telemetry names when they fail."""
ROUNDS_WITHOUT_REASON_MAX: Final = 3
"""Rounds that a height may take before the node says what it waits for: one dead proposer costs one."""


class SealingRefused(RuntimeError):
    """Blocks of this chain are agreed on, and not made on demand."""


@frozen
class ValidatorPorts:
    """What a runtime works with; `signer` and `wal` are None for a node that only follows."""

    chain: Chain
    door: ChainDoor
    consensus_workers: Workers
    deciders: Workers
    """The one thread that moves the head: a decision and catching up never cross."""
    keepers: Workers
    """The one thread of write-ahead log and signer, so that both are asked in the machine's order."""
    service_workers: Workers
    journal: JournalKeeper
    telemetry: Telemetry
    signer: SignerPort | None
    wal: WriteAheadLog | None
    introduction: Introduction


class ValidatorRuntime:
    """Performs a node's effects and hands in what comes of them."""

    def __init__(self, node: ValidatorNode, ports: ValidatorPorts) -> None:
        """Nothing runs before `start`."""
        self._node = node
        self._ports = ports
        self._loop = asyncio.get_running_loop()
        self._network: Network | None = None
        self._urgent: deque[Input] = deque()
        self._others: deque[Input] = deque()
        self._is_feeding = False
        self._is_stopping = False
        self._gossip_timer: asyncio.TimerHandle | None = None
        self.metrics = ConsensusMetrics()
        self._privileged: ValidatorSet | None = None
        """The set whose members the network lets in first."""
        chain, workers = ports.chain, ports.service_workers
        flusher = Flusher(chain, workers, ports.telemetry)
        pools = (ports.consensus_workers, ports.deciders)
        self._errands = BlockErrands(ports.door, pools, flusher, self.feed)
        self._peer_errands = PeerErrands(self._errands, ports.introduction, ports.telemetry, self.feed)
        self._desk = TransactionDesk(chain, workers, self._pool_head, self.feed)
        self.submit_many = self._desk.submit_many

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, network: Network) -> None:
        """Read the journal back and begin.

        Raises:
            JournalError: the journal cannot be read.
        """
        self._network = network
        arrived = self._ports.journal.recover(self._pool_head())
        if arrived is not None:
            self.feed(arrived)
        self._ports.journal.start(self._node.pool.view)
        self.feed(Start())

    async def finish(self) -> None:
        """Say nothing more, and let what is under way end."""
        self._is_stopping = True
        self._ports.telemetry.stopping()
        if self._gossip_timer is not None:
            self._gossip_timer.cancel()
        await self._ports.consensus_workers.drain()
        await self._ports.deciders.drain()
        await self._ports.keepers.drain()
        await self._ports.service_workers.drain()

    def close(self) -> None:
        """Make the journal durable and let the threads go; after `finish`."""
        self._ports.journal.close()
        self._ports.consensus_workers.close()
        self._ports.deciders.close()
        self._ports.keepers.close()
        self._ports.service_workers.close()

    def seal(self, blocks: int, timestamp_s: int | None, done: Done) -> None:
        """Refuse: validators agree on blocks, nobody asks for one."""
        del blocks, timestamp_s
        done(SealingRefused("validators agree on the blocks of this chain; none is made on demand"))

    # ── What peers say ──────────────────────────────────────────────────────────────────────────────────────

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """A peer is connected."""
        self.feed(PeerUp(peer, PeerContact(facts.public_key, facts.host, facts.listen_port)))

    def on_peer_down(self, peer: PeerId) -> None:
        """A peer is gone."""
        self.feed(PeerDown(peer))

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        """A peer sent a message."""
        self.metrics.on_message(kind.name)
        self.feed(MessageReceived(peer, kind.number, payload))

    # ── Inputs and effects ──────────────────────────────────────────────────────────────────────────────────

    def feed(self, event: Input) -> None:
        """Hand in an input; one that comes of an effect waits for the rest of them."""
        if self._is_stopping:
            return
        (self._others if _may_wait(event) else self._urgent).append(event)
        if self._is_feeding:
            return
        self._is_feeding = True
        try:
            while self._urgent or self._others:
                event = self._urgent.popleft() if self._urgent else self._others.popleft()
                for effect in self._node.step(self._now(), event):
                    if not self._perform(effect):
                        break
        finally:
            self._is_feeding = False

    def _perform(self, effect: Effect) -> bool:
        """Perform one effect; False when those after it in the same list must not be performed."""
        match effect:
            case SetConsensusTimer():
                delay_s = max(0, effect.at_ms - self._now()) / 1000
                self._loop.call_later(delay_s, self._on_consensus_timer, effect.timer)
            case SetSyncTimer():
                self._at(effect.at_ms, SyncTimer())
            case SetGossipTimer():
                if self._gossip_timer is not None:
                    self._gossip_timer.cancel()
                self._gossip_timer = self._at(effect.at_ms, GossipTimer())
            case SetDhtTimer():
                self._at(effect.at_ms, DhtTimer(effect.timer))
            case SignRecord():
                self.feed(RecordSigned(self._ports.introduction.sign(effect.claim)))
            case Send() | SendAll() | Misbehaved() | ServeGenesis() | DialNode() | AddressesFound():
                if self._network is not None:
                    self._peer_errands.talk(self._network, effect)
            case SendCertificate() | ServeBlock() | ServeBlocks():
                if self._network is not None:
                    self._peer_errands.serve(self._network, self._ports.service_workers, effect)
            case (
                CheckBlock()
                | ProveRandomness()
                | BuildBlock()
                | ExecuteBlock()
                | DecideBlock()
                | AdoptBlocks()
            ):
                self._make(effect)
            case WriteAhead() | AppendRecord() | Sign():
                self._keep(effect)
            case EvidenceSeen():
                self.metrics.on_evidence()
                offender = effect.evidence.offender.hex()
                self._ports.telemetry.notice(f"validator 0x{offender} signed twice; a block will say so")
            case Alarm():
                self._alarm(effect)
            case SubmitFromPeer():
                self._desk.submit_from_peer(effect.raws)
            case JournalAppend() | JournalRewrite():
                return self._write_journal(effect)
            case Acknowledge():
                self._desk.settle(effect.hash, Accepted(effect.hash))
            case Refuse():
                self._desk.settle(effect.hash, Refused(effect.code, effect.sentence))
            case JudgeAgain():
                self._desk.judge_again(effect)
            case Added() | BecameReady() | Replaced() | Evicted() | Dropped() | Included():
                self._ports.telemetry.pool_event(effect)
            case _:
                assert_never(effect)
        return True

    def _on_consensus_timer(self, timer: Timer) -> None:
        status = self._node.engine.status
        self.metrics.on_timer(timer, status.height, status.round)
        if timer.kind is TimerKind.RESEND and status.round >= ROUNDS_WITHOUT_REASON_MAX:
            heard, total = self._node.engine.power_heard
            self._ports.telemetry.problem(
                AGREEING,
                f"no decision at height {status.height} in {status.round} rounds: validators with "
                f"{heard} of {total} of the power are heard, more than two thirds are needed",
            )
        self.feed(ConsensusTimer(timer))

    def _make(
        self,
        effect: CheckBlock | ProveRandomness | BuildBlock | ExecuteBlock | DecideBlock | AdoptBlocks,
    ) -> None:
        match effect:
            case AdoptBlocks():
                self._errands.adopt(effect, self._node.pool.view.senders(), self._on_block)
            case CheckBlock():
                self._errands.check(effect)
            case ProveRandomness():
                if self._ports.signer is not None:
                    self._errands.prove(effect, self._ports.signer)
            case BuildBlock():
                self._errands.build(effect)
            case ExecuteBlock():
                self._errands.execute(effect)
            case DecideBlock():
                self.metrics.on_decided(effect.certificate.round)
                known = self._node.pool.view.senders()
                self._errands.decide(effect, known, self._ports.wal, self._on_block)
            case _:
                assert_never(effect)

    def _on_block(self) -> None:
        self._ports.telemetry.block(self._ports.chain.head)
        self._ports.telemetry.recovered(AGREEING)
        validators = self._node.engine.validators
        if validators is not self._privileged and self._network is not None:
            self._privileged = validators
            keys = (entry.network_key for entry in validators.validators)
            self._network.set_validators(frozenset(PeerId(keccak256(key)) for key in keys))

    def _keep(self, effect: WriteAhead | AppendRecord | Sign) -> None:
        wal, signer = self._ports.wal, self._ports.signer
        if wal is None or signer is None:
            return
        match effect:
            case WriteAhead():
                self._ports.keepers.run(
                    lambda: wal.persist(effect), lambda error: self._persisted(effect.sequence, error)
                )
            case AppendRecord():
                try:
                    wal.append(effect.record)
                except StorageFailed as error:
                    # The next intent cannot be written either, and says so to the machine.
                    self._ports.telemetry.problem(WAL, sentence_of(error))
            case Sign():
                self._ports.keepers.run(
                    lambda: signer.sign(effect.request), lambda result: self._signed(effect, result)
                )
            case _:
                assert_never(effect)

    def _persisted(self, sequence: int, error: Exception | None) -> None:
        if error is None:
            self.metrics.on_log_synced()
            self.feed(Logged(sequence))
        else:
            self.feed(LogFailed(sequence, sentence_of(error)))

    def _signed(self, effect: Sign, result: object) -> None:
        if isinstance(result, SignerSaysNo):
            self.feed(SigningRefused(effect.request, result.why))
        elif isinstance(result, Exception):
            self.feed(SigningRefused(effect.request, sentence_of(result)))
        else:
            self.feed(Signed(effect.request, result))  # type: ignore[arg-type]  # what `sign` returns

    def _alarm(self, effect: Alarm) -> None:
        if effect.reason:
            self._ports.telemetry.problem(effect.part, effect.reason)
        else:
            self._ports.telemetry.recovered(effect.part)

    def _write_journal(self, effect: JournalAppend | JournalRewrite) -> bool:
        error = self._ports.journal.write(effect)
        if error is None or isinstance(effect, JournalRewrite):
            return True
        # The pool must hear of it before anything else: it takes back what it has just admitted.
        self._urgent.appendleft(JournalFailed(f"{error.why}; {error.cure}" if error.cure else error.why))
        return False

    def _at(self, at_ms: Millis, event: Input) -> asyncio.TimerHandle:
        delay_s = max(0, at_ms - self._now()) / 1000
        return self._loop.call_later(delay_s, self.feed, event)

    def _pool_head(self) -> Hash32:
        return self._node.pool.head.hash

    def _now(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)


def _may_wait(event: Input) -> bool:
    """Whether an input goes after those of consensus."""
    if isinstance(event, MessageReceived):
        kind = KINDS.get(event.kind)
        return kind is None or kind.message_class is not MessageClass.CONSENSUS
    return isinstance(
        event, Arrived | Judged | GossipTimer | SyncTimer | DhtTimer | DialFailed | RecordSigned
    )
