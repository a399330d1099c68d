"""Running a node with peers, whichever engine it has: one loop, threads for what takes long, ports.

Every `step` runs on the loop's thread, one input at a time, consensus inputs before all others; all effects
of a step are performed, in order, before the next input. What fails is an input too: the machine decides what
to do about it. What only one engine asks for, its own runtime performs.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar, assert_never

from coc._native import Chain, StorageFailed
from coc.adapters.flushing import sentence_of
from coc.adapters.intake_pace import IntakePace
from coc.adapters.journal_keeper import JournalKeeper
from coc.adapters.telemetry import Telemetry
from coc.adapters.transaction_desk import TransactionDesk
from coc.adapters.validator.peer_errands import Answers, Introduction, PeerErrands
from coc.adapters.validator.write_ahead import WriteAheadLog
from coc.adapters.wire.network import Network
from coc.adapters.workers import Workers
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
from coc.execution.mempool.pool import Mempool
from coc.node.inputs import Arrived
from coc.node.validator.effects import (
    AddressesFound,
    Alarm,
    AppendRecord,
    DialNode,
    Misbehaved,
    Send,
    SendAll,
    SendCertificate,
    ServeBlock,
    ServeBlocks,
    ServeGenesis,
    SetDhtTimer,
    SetGossipTimer,
    Shared,
    Sign,
    SignRecord,
    SubmitFromPeer,
    WriteAhead,
)
from coc.node.validator.inputs import (
    Common,
    DhtTimer,
    DialFailed,
    GossipTimer,
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
)
from coc.node.validator.ports import SignerPort
from coc.node.validator.signer import SigningRefused as SignerSaysNo
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.types import Hash32, Millis, PeerId
from coc.primitives.validators import ValidatorSet
from coc.rpc.ports import Accepted, Outcome, Refused
from coc.wire.identity import PeerFacts
from coc.wire.kinds import KINDS, TRANSACTIONS, Kind, MessageClass

Event = TypeVar("Event")
"""Inputs that only one engine's node has."""
Own = TypeVar("Own")
"""Effects that only one engine's node has."""
Done = Callable[[Exception | None], None]

WAL = "write-ahead log"
"""The part that telemetry names when it fails."""


class SealingRefused(RuntimeError):
    """Blocks of this chain are made by turns or agreed on, and not made on demand."""


class Counts(Protocol):
    """Who counts what happens."""

    def on_message(self, kind: str) -> None:
        """A peer sent a message."""
        ...

    def on_log_synced(self) -> None:
        """Records are durable."""
        ...


@frozen
class PeerPorts:
    """What a runtime works with; `signer` and `wal` are None for a node that only follows."""

    chain: Chain
    consensus_workers: Workers
    deciders: Workers
    """The one thread that moves the head: two blocks never cross."""
    keepers: Workers
    """The one thread of write-ahead log and signer, so that both are asked in the machine's order."""
    service_workers: Workers
    journal: JournalKeeper
    telemetry: Telemetry
    signer: SignerPort | None
    wal: WriteAheadLog | None
    introduction: Introduction
    interval_ms: int
    """Between two blocks of the chain."""


class PeerRuntime(ABC, Generic[Event, Own]):
    """Performs a node's effects and hands in what comes of them."""

    def __init__(self, pool: Mempool, ports: PeerPorts, answers: Answers, counts: Counts) -> None:
        """Nothing runs before `start`; `answers` reads from the chain what peers ask for."""
        self._pool = pool
        self._ports = ports
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._network: Network | None = None
        self._urgent: deque[Common | Event] = deque()
        self._others: deque[Common | Event] = deque()
        self._is_feeding = False
        self._is_stopping = False
        self._gossip_timer: asyncio.TimerHandle | None = None
        self._peer_errands = PeerErrands(answers, ports.introduction, ports.telemetry, self.feed)
        self._desk = TransactionDesk(ports.chain, ports.service_workers, self._pool_head, self.feed)
        self._pace = IntakePace(self._loop, ports.interval_ms)

    @abstractmethod
    def _step(self, now_ms: Millis, event: Common | Event) -> Sequence[Shared | Own]:
        """Let the node's machine take an input."""

    @abstractmethod
    def _perform_own(self, effect: Own) -> None:
        """Perform an effect that only this engine's node has."""

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
        self._ports.journal.start(self._pool.view)
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
        """Refuse: where there are several validators nobody asks for a block."""
        del blocks, timestamp_s
        done(SealingRefused("several validators make the blocks of this chain; none is made on demand"))

    def submit_many(
        self, raws: list[bytes], judged: Callable[[], None], done: Callable[[Sequence[Outcome]], None]
    ) -> None:
        """Admit clients' transactions as the desk does, at the pace of the chain."""
        size_bytes = sum(map(len, raws))
        self._pace.run(size_bytes, lambda: self._desk.submit_many(raws, judged, done))

    # ── What peers say ──────────────────────────────────────────────────────────────────────────────────────

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """A peer is connected."""
        self.feed(PeerUp(peer, PeerContact(facts.public_key, facts.host, facts.listen_port)))

    def on_peer_down(self, peer: PeerId) -> None:
        """A peer is gone."""
        self._pace.forget(peer)
        self.feed(PeerDown(peer))

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        """A peer sent a message."""
        self._counts.on_message(kind.name)
        received = MessageReceived(peer, kind.number, payload)
        if kind is TRANSACTIONS:
            self._pace.run_for(peer, len(payload), lambda: self.feed(received))
        else:
            self.feed(received)

    # ── Inputs and effects ──────────────────────────────────────────────────────────────────────────────────

    def feed(self, event: Common | Event) -> None:
        """Hand in an input; one that comes of an effect waits for the rest of them."""
        if self._is_stopping:
            return
        (self._others if self._may_wait(event) else self._urgent).append(event)
        if self._is_feeding:
            return
        self._is_feeding = True
        try:
            while self._urgent or self._others:
                event = self._urgent.popleft() if self._urgent else self._others.popleft()
                for effect in self._step(self._now(), event):
                    if not self._perform(effect):
                        break
        finally:
            self._is_feeding = False

    def _perform(self, effect: Shared | Own) -> bool:
        """Perform one effect; False when those after it in the same list must not be performed."""
        match effect:  # what every transaction makes comes first: each case costs a look at the class
            case Added() | BecameReady() | Replaced() | Evicted() | Dropped() | Included():
                self._ports.telemetry.pool_event(effect)
            case Acknowledge():
                self._desk.settle(effect.hash, Accepted(effect.hash))
            case Refuse():
                self._desk.settle(effect.hash, Refused(effect.code, effect.sentence))
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
            case ServeBlock() | ServeBlocks():
                self._serve(effect)
            case WriteAhead() | AppendRecord() | Sign():
                self._keep(effect)
            case Alarm():
                self._alarm(effect)
            case SubmitFromPeer():
                self._desk.submit_from_peer(effect.raws)
            case JournalAppend() | JournalRewrite():
                return self._write_journal(effect)
            case JudgeAgain():
                self._desk.judge_again(effect)
            case _:
                self._perform_own(effect)
        return True

    def _serve(self, effect: SendCertificate | ServeBlock | ServeBlocks) -> None:
        if self._network is not None:
            self._peer_errands.serve(self._network, self._ports.service_workers, effect)

    def _keep(self, effect: WriteAhead | AppendRecord | Sign) -> None:
        wal, signer = self._ports.wal, self._ports.signer
        if wal is None or signer is None:
            return
        match effect:
            case WriteAhead():
                self._ports.keepers.run(
                    lambda: self._persist(wal, effect), lambda error: self._persisted(effect.sequence, error)
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

    def _persist(self, wal: WriteAheadLog, effect: WriteAhead) -> None:
        """Write it, on a thread."""
        wal.persist(effect)

    def _persisted(self, sequence: int, error: Exception | None) -> None:
        if error is None:
            self._counts.on_log_synced()
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

    def _let_in_first(self, validators: ValidatorSet) -> None:
        """Tell the network who makes blocks: those are let in before anybody else."""
        if self._network is not None:
            keys = (entry.network_key for entry in validators.validators)
            self._network.set_validators(frozenset(PeerId(keccak256(key)) for key in keys))

    def _at(self, at_ms: Millis, event: Common | Event) -> asyncio.TimerHandle:
        delay_s = max(0, at_ms - self._now()) / 1000
        return self._loop.call_later(delay_s, self.feed, event)

    def _may_wait(self, event: Common | Event) -> bool:
        """Whether an input goes after those of consensus."""
        if isinstance(event, MessageReceived):
            kind = KINDS.get(event.kind)
            return kind is None or kind.message_class is not MessageClass.CONSENSUS
        return isinstance(event, Arrived | Judged | GossipTimer | DhtTimer | DialFailed | RecordSigned)

    def _pool_head(self) -> Hash32:
        return self._pool.head.hash

    def _now(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)
