"""One simulated node: the live program's machine and chain, on disks that forget and a clock that errs.

It opens chain, write-ahead log and signer's mark, and carries out what its machine asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, assert_never

from coc import _native
from coc._native import BlockInvalid, Chain, Mark, StorageFailed, UnknownBlock, Wal
from coc.consensus.bft.messages import encode_message
from coc.consensus.bft.wal import encode_record
from coc.consensus.sync.messages import encode_blocks, encode_body
from coc.execution.mempool import effects as pool_fx
from coc.execution.mempool.inputs import Candidate, Judged, Origin
from coc.node.inputs import Arrived
from coc.node.judging import candidates_of
from coc.node.validator import effects as fx
from coc.node.validator import inputs as ev
from coc.node.validator.build import NodeConfig, Remembered, build_node
from coc.node.validator.chain_door import ChainDoor, ChainRules, Overtaken
from coc.node.validator.machine import ValidatorNode
from coc.node.validator.ports import Faults, SetReader
from coc.node.validator.signer import MarkedSigner, SigningRefused
from coc.node.validator.wal_codec import WalContent, decode_entries, encode_entries
from coc.primitives.secp256k1 import address_of
from coc.primitives.types import Hash32, Height, Millis
from coc.sim.full.birth import Birth, recover
from coc.sim.full.plan import Forgets
from coc.sim.full.watching import Watch
from coc.sim.full.world import World
from coc.sim.life import CHAIN_OPTIONS, FOLDER, NodeLife
from coc.wire import kinds

FAULTS = Faults(BlockInvalid, UnknownBlock, StorageFailed)
FOR_OTHERS: tuple[type[fx.Effect], ...] = (
    pool_fx.JournalAppend,
    pool_fx.JournalRewrite,
    pool_fx.Acknowledge,
    pool_fx.Refuse,
    pool_fx.Added,
    pool_fx.BecameReady,
    pool_fx.Replaced,
    pool_fx.Evicted,
    pool_fx.Dropped,
    pool_fx.Included,
)
"""Effects that ask nothing of a node without journal and clients."""


class SimValidator(NodeLife[ev.Input]):
    """A node of a run."""

    chain: Chain
    node: ValidatorNode
    door: ChainDoor
    wal: Wal
    signer: MarkedSigner
    sets: SetReader
    remembered: WalContent
    """What the write-ahead log held when this life began."""

    def __init__(self, birth: Birth, world: World, watch: Watch) -> None:
        """Down until `start`."""
        super().__init__(birth.position, birth.peer, world)
        self.birth = birth
        self.address = address_of(birth.secret)
        self.watch = watch
        self.actions = self._action_table()

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    def wake(self) -> None:
        """Open everything, and build the node."""
        birth = self.birth
        self.chain = Chain.open_simulated(birth.genesis, self.disk, CHAIN_OPTIONS)
        self.wal = Wal.open(FOLDER, self.chain.genesis_hash, self.records_disk)
        self.signer = MarkedSigner(birth.secret, Mark.open(FOLDER, "signer.mark", self.mark_disk))
        self.sets = birth.sets(self.chain)
        rules = ChainRules(self.sets, recover, birth.gas_limit_target)
        self.door = ChainDoor(self.chain, _native.check_block, FAULTS, rules)
        self.remembered = decode_entries(self.wal.records)
        head = self.chain.head.number
        self.watch.on_start(self)
        self.node = build_node(
            NodeConfig(birth.rules, self.address, recover, has_journal=False),
            self.door,
            Remembered.of(self.remembered, self.signer.mark, head),
            self.now_ms,
        )
        self.world.tell(self.position, f"starts at height {self.chain.head.number}")
        self.feed(ev.Start())

    def on_end(self, forgets: Forgets, *, is_power_cut: bool) -> None:
        """All that is left of a life lies on its disks."""

    def on_wiped(self) -> None:
        """What checkers know of its chain holds no more."""
        self.watch.on_wiped(self)

    @property
    def height(self) -> int:
        """Height of the head; of the last known one while it is down."""
        return self.chain.head.number if self.is_up else -1

    # ── Inputs ──────────────────────────────────────────────────────────────────────────────────────────────

    def feed(self, event: ev.Input) -> None:
        """Hand in an input and carry out what comes of it."""
        if not self.is_up:
            return
        life, actions = self.life, self.actions
        for effect in self.node.step(Millis(self._ahead_ms + self.world.now_ms), event):
            if self.life != life:
                return
            actions[type(effect)](effect)

    def submit(self, raw: bytes) -> None:
        """A client sends a transaction."""
        if self.is_up:
            self._arrive([raw], Origin.LOCAL)

    # ── Effects ─────────────────────────────────────────────────────────────────────────────────────────────

    def _action_table(self) -> Mapping[type[fx.Effect], Callable[[Any], None]]:
        """What is done for every effect: a table, as in the node, as a `match` pays for each case that fails.

        Those of the table of nodes are not here: simulated nodes are connected to all, and built without one.
        """
        between, keeper = self.world.dice.between, self.keeper
        return {
            fx.Send: self._send,
            fx.SendAll: self._send_all,
            fx.SetConsensusTimer: lambda effect: self.feed_at(effect.at_ms, ev.ConsensusTimer(effect.timer)),
            fx.SetGossipTimer: lambda effect: self.feed_at(effect.at_ms, ev.GossipTimer()),
            fx.SetSyncTimer: lambda effect: self.feed_at(effect.at_ms, ev.SyncTimer()),
            fx.WriteAhead: lambda effect: self.in_turn(keeper, partial(self._written, effect)),
            fx.Sign: lambda effect: self.in_turn(keeper, partial(self._signed, effect)),
            fx.AppendRecord: self._append,
            fx.SubmitFromPeer: lambda effect: self._arrive(list(effect.raws), Origin.PEER),
            fx.CheckBlock: lambda effect: self.later(between(0, 1), partial(self._checked, effect)),
            fx.ExecuteBlock: lambda effect: self.later(between(1, 4), partial(self._executed, effect)),
            fx.ProveRandomness: lambda effect: self.later(between(0, 1), partial(self._proved, effect)),
            fx.BuildBlock: lambda effect: self.later(between(1, 4), partial(self._built, effect)),
            fx.DecideBlock: lambda effect: self.later(self.fsync_ms(), partial(self._decided, effect)),
            fx.AdoptBlocks: lambda effect: self.later(self.fsync_ms(), partial(self._adopted, effect)),
            fx.SendCertificate: self._serve,
            fx.ServeBlock: self._serve,
            fx.ServeBlocks: self._serve,
            fx.ServeGenesis: lambda effect: self.send(effect.peer, kinds.GENESIS.number, self.birth.genesis),
            fx.Misbehaved: lambda effect: self.watch.on_accused(self, effect),
            fx.EvidenceSeen: lambda effect: self.watch.on_evidence(self, effect.evidence),
            fx.Alarm: lambda effect: self.watch.on_alarm(self, effect),
            pool_fx.JudgeAgain: self._judge_again,
            **dict.fromkeys(FOR_OTHERS, lambda _effect: None),
        }

    def _send(self, effect: fx.Send) -> None:
        self.watch.on_sent(self, effect.kind, effect.payload)
        self.send(effect.peer, effect.kind, effect.payload)

    def _send_all(self, effect: fx.SendAll) -> None:
        self.watch.on_sent(self, effect.kind, effect.payload)
        for other in self.others:
            self.carry(other, effect.kind, effect.payload)

    def _serve(self, effect: fx.SendCertificate | fx.ServeBlock | fx.ServeBlocks) -> None:
        match effect:
            case fx.SendCertificate():
                certificate = self.door.certificate(effect.height)
                if certificate is not None:
                    self._send(fx.Send(effect.peer, kinds.CONSENSUS.number, encode_message(certificate)))
            case fx.ServeBlock():
                body = self.door.body(effect.block)
                if body is not None:
                    self.send(effect.peer, kinds.BLOCK.number, encode_body(body))
            case fx.ServeBlocks():
                self.send(effect.peer, kinds.BLOCKS.number, encode_blocks(self.door.blocks(effect.wish)))
            case _:
                assert_never(effect)

    def _checked(self, effect: fx.CheckBlock) -> ev.Input:
        found = self.door.check(effect.body)
        hash_, height = found or (None, self.node.engine.height)
        return ev.BlockChecked(effect.peer, hash_, height, effect.body)

    def _proved(self, effect: fx.ProveRandomness) -> ev.Input:
        proof = self.signer.prove(self.door.randomness_input(effect.parent, effect.height))
        return ev.RandomnessProved(effect.height, effect.round, proof)

    def _built(self, effect: fx.BuildBlock) -> ev.Input:
        try:
            return self.door.build(effect)
        except StorageFailed as error:
            return ev.BuildFailed(str(error.args[0]))

    def _executed(self, effect: fx.ExecuteBlock) -> ev.Input | None:
        try:
            return ev.BlockExecuted(effect.hash, self.door.execute(effect.body))
        except Overtaken:
            return None
        except StorageFailed as error:
            return ev.ExecutionFailed(effect.hash, str(error.args[0]))

    def _decided(self, effect: fx.DecideBlock) -> ev.Input | None:
        before = self.chain.head.number
        try:
            decided = self.door.decide(effect.hash, effect.certificate, self.node.pool.view.senders())
            self.wal.begin_height()
            if self.chain.head.number > before:  # else catching up was faster
                self.watch.on_decided(self, effect.certificate)
            if self.chain.flush_is_due() or self.world.dice.random() < 0.1:
                self.chain.flush()
        except StorageFailed as error:
            return ev.DecisionFailed(str(error.args[0]))
        return decided

    def _adopted(self, effect: fx.AdoptBlocks) -> ev.Input:
        before = self.chain.head.number
        adopted = self.door.adopt(effect.peer, effect.blocks, self.node.pool.view.senders())
        for height in range(before + 1, self.chain.head.number + 1):
            certificate = self.door.certificate(Height(height))
            if certificate is not None:
                self.watch.on_adopted(self, certificate)
        return adopted

    def _written(self, effect: fx.WriteAhead) -> ev.Input:
        try:
            self.wal.append_durable(encode_entries(effect))
        except StorageFailed as error:
            return ev.LogFailed(effect.sequence, str(error.args[0]))
        self.watch.on_written(self, effect)
        return ev.Logged(effect.sequence)

    def _append(self, effect: fx.AppendRecord) -> None:
        try:
            self.wal.append([encode_record(effect.record)])
        except StorageFailed:
            self.world.tell(self.position, "has no room for a signed message in its log")

    def _signed(self, effect: fx.Sign) -> ev.Input:
        try:
            return ev.Signed(effect.request, self.signer.sign(effect.request))
        except SigningRefused as error:
            self.watch.on_refused(self, effect.request, error)
            return ev.SigningRefused(effect.request, error.why)

    # ── Transactions ────────────────────────────────────────────────────────────────────────────────────────

    def _arrive(self, raws: list[bytes], origin: Origin) -> None:
        head = self.node.pool.head.hash
        judged = candidates_of(self.chain.admit(head, raws))
        candidates = [each for each in judged if isinstance(each, Candidate)]
        if candidates:
            arrived = Arrived(head, origin, candidates)
            self.later(0, lambda: arrived)

    def _judge_again(self, effect: pool_fx.JudgeAgain) -> None:
        head = self.node.pool.head.hash
        raws = [each.raw for each in effect.transactions]
        judged = [each for each in candidates_of(self.chain.admit(head, raws)) if isinstance(each, Candidate)]
        if effect.origin is not None:
            arrived = Arrived(head, effect.origin, judged)
            self.later(0, lambda: arrived)
            return
        verdicts = Judged(head, [(Hash32(each.transaction.hash), each.verdict) for each in judged])
        self.later(0, lambda: verdicts)
