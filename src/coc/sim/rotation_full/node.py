"""One simulated node of a rotation chain: the live program's machine, chain and tags, with ports that err.

It opens chain, tags, write-ahead log and signer's mark as `coc.adapters.validator.rotation_service` does, and
carries out effects as `coc.adapters.validator.rotation_runtime` does.
"""

from __future__ import annotations

from functools import partial
from typing import assert_never

from coc import _native
from coc._native import BlockInvalid, Chain, Mark, StorageFailed, UnknownBlock, Wal
from coc.consensus.bft.wal import encode_record
from coc.consensus.signing_mark import judge_by_slot
from coc.consensus.sync.messages import encode_blocks, encode_body
from coc.execution.mempool import effects as pool_fx
from coc.execution.mempool.inputs import Candidate, JournalFailed, Judged, Origin
from coc.node.inputs import Arrived
from coc.node.judging import candidates_of
from coc.node.rotation import effects as fx
from coc.node.rotation import inputs as ev
from coc.node.rotation.build import NodeConfig, build_node
from coc.node.rotation.chain_door import DoorRules, RotationDoor
from coc.node.rotation.machine import RotationNode
from coc.node.rotation.tags import decode_tags
from coc.node.validator import effects as shared
from coc.node.validator.build import Remembered
from coc.node.validator.inputs import (
    BuildFailed,
    ExecutionFailed,
    GossipTimer,
    LogFailed,
    Logged,
    Signed,
    Start,
)
from coc.node.validator.inputs import SigningRefused as Refused
from coc.node.validator.ports import Faults
from coc.node.validator.signer import MarkedSigner, SigningRefused
from coc.node.validator.wal_codec import WalContent, decode_entries, encode_entries
from coc.primitives.secp256k1 import address_of
from coc.primitives.types import Address, Hash32
from coc.sim.full.birth import recover
from coc.sim.full.plan import Forgets
from coc.sim.full.world import World
from coc.sim.life import CHAIN_OPTIONS, FOLDER, NodeLife, Thread
from coc.sim.rotation_full.birth import Birth
from coc.sim.rotation_full.journal import SimJournal
from coc.sim.rotation_full.watching import Watch
from coc.wire import kinds

FAULTS = Faults(BlockInvalid, UnknownBlock, StorageFailed)
FLUSHES = 0.1
"""How often a block is followed by a flush: often, because what a start finds depends on it."""
COPY_NODES_MAX = 2_000


class SimRotationNode(NodeLife[ev.Input]):
    """A node of a run."""

    chain: Chain
    tags: Mark
    node: RotationNode
    door: RotationDoor
    wal: Wal
    signer: MarkedSigner
    remembered: WalContent
    """What the write-ahead log held when this life began."""

    def __init__(self, birth: Birth, world: World, watch: Watch) -> None:
        """Down until `start`."""
        super().__init__(birth.position, birth.peer, world)
        self.birth = birth
        self.address = address_of(birth.secret)
        self.watch = watch
        self.journal = SimJournal()
        self.writer = Thread()
        """The thread of block log and tags."""
        self._gossip_wish = 0

    def wake(self) -> None:
        """Open everything, build the node, read the journal back."""
        birth = self.birth
        self.writer, self.keeper = Thread(), Thread()  # a new process waits for no fsync of the last one
        self.chain = Chain.open_simulated(birth.genesis, self.disk, CHAIN_OPTIONS)
        self.tags = Mark.open(FOLDER, "tags", self.disk)
        self.wal = Wal.open(FOLDER, self.chain.genesis_hash, self.records_disk)
        mark = Mark.open(FOLDER, "signer.mark", self.mark_disk)
        self.signer = MarkedSigner(birth.secret, mark, judge_by_slot)
        rules = DoorRules(birth.rules.slots, birth.gas_limit_target)
        self.door = RotationDoor(self.chain, _native.read_block, FAULTS, rules, self.tags)
        self.remembered = decode_entries(self.wal.records)
        head = self.chain.head.number
        self.node = build_node(
            NodeConfig(birth.rules, self.address, recover, has_journal=True),
            self.door,
            decode_tags(self.tags.payload) if self.tags.payload else None,
            Remembered.of(self.remembered, self.signer.mark, head),
            self.now_ms,
        )
        self.watch.on_start(self)
        waiting = self._judged(self.journal.raws)
        self.feed(Start())
        self.feed(Arrived(Hash32(self.node.pool.head.hash), Origin.JOURNAL, waiting))
        self.journal.rewrite([each.raw for each in self._journalled(waiting)])

    def _journalled(self, waiting: list[Candidate]) -> list[_native.Transaction]:
        view = self.node.pool.view
        found = [view.get(each.transaction.hash) for each in waiting]
        return [each for each in found if isinstance(each, _native.Transaction)]

    def on_end(self, forgets: Forgets, *, is_power_cut: bool) -> None:
        """The journal is cut, and whoever watches looks at this life once more."""
        if is_power_cut:
            self.journal.cut_power(self.world.now_ms, self.world.dice)
        self.watch.on_end(self, forgets)

    def on_wiped(self) -> None:
        """The journal lay beside the chain."""
        self.journal = SimJournal()

    @property
    def is_disk_full(self) -> bool:
        """Whether nothing more can be written now."""
        now_ms, plan = self.world.now_ms, self.world.plan
        return not self.world.is_healed and any(
            full.node == self.position and full.begin_ms <= now_ms < full.end_ms for full in plan.full_disks
        )

    def submit(self, raw: bytes) -> None:
        """A client sends a transaction."""
        if self.is_up:
            self._arrive([raw], Origin.LOCAL)

    def feed(self, event: ev.Input) -> None:
        """Hand in an input, if there is somebody to take it."""
        if self.is_up:
            self.take(event)

    def take(self, event: ev.Input) -> None:
        """Let the node take an input, and carry out what comes of it; see the mempool's word on journals."""
        life = self.life
        effects = self.node.step(self.now_ms, event)
        if isinstance(event, ev.TagsMoved):
            self.watch.on_pool_moved(self, event)
        for effect in effects:
            if self.life != life:
                return
            if isinstance(effect, pool_fx.JournalAppend) and self.is_disk_full:
                self.take(JournalFailed("the disk is full"))
                return
            self._carry_out(effect)

    # ── Effects ─────────────────────────────────────────────────────────────────────────────────────────────

    def _carry_out(self, effect: fx.Effect) -> None:
        match effect:
            case shared.Send():
                self.watch.on_sent(self, effect.kind, effect.payload)
                self.send(effect.peer, effect.kind, effect.payload)
            case shared.SendAll():
                self.watch.on_sent(self, effect.kind, effect.payload)
                for other in self.others:
                    self.carry(other, effect.kind, effect.payload)
            case shared.Alarm():
                self.watch.on_alarm(self, effect)
            case shared.ServeBlock() | shared.ServeBlocks():
                self._serve(effect)
            case shared.WriteAhead():
                self.in_turn(self.keeper, partial(self._written, effect))
            case shared.Sign():
                self.in_turn(self.keeper, partial(self._signed, effect))
            case shared.AppendRecord():
                self._append(effect)
            case shared.SubmitFromPeer():
                self._arrive(list(effect.raws), Origin.PEER)
            case shared.SetGossipTimer():
                self._gossip_wish += 1
                self._gossip_at(effect.at_ms, self._gossip_wish)
            case shared.ServeGenesis():
                self.send(effect.peer, kinds.GENESIS.number, self.birth.genesis)
            case shared.Misbehaved():
                self.watch.on_accused(self, effect)
            case shared.DialNode() | shared.SetDhtTimer() | shared.SignRecord() | shared.AddressesFound():
                raise AssertionError("simulated nodes are connected to all, and built without a table")
            case (
                fx.SetRotationTimer()
                | fx.ReadBlock()
                | fx.ReadRange()
                | fx.BuildSlotBlock()
                | fx.JudgeBlock()
                | fx.RecordBlock()
                | fx.MoveTags()
                | fx.DoubleSealSeen()
            ):
                self._carry_out_own(effect)
            case _:
                self._carry_out_of_pool(effect)

    def _carry_out_own(self, effect: fx.Own) -> None:
        dice = self.world.dice
        match effect:
            case fx.SetRotationTimer():
                self.feed_at(effect.at_ms, ev.RotationTimer(effect.timer))
            case fx.ReadBlock():
                self.later(dice.between(0, 1), partial(self._read, effect))
            case fx.ReadRange():
                self.later(dice.between(0, 2), partial(self._range_read, effect))
            case fx.BuildSlotBlock():
                self.later(dice.between(1, 4), partial(self._built, effect))
            case fx.JudgeBlock():
                self.later(dice.between(1, 4), partial(self._block_judged, effect))
            case fx.RecordBlock():
                self.in_turn(self.writer, partial(self._recorded, effect))
            case fx.MoveTags():
                senders = self.node.pool.view.senders()
                self.in_turn(self.writer, partial(self._moved, effect, senders))
            case fx.DoubleSealSeen():
                self.watch.on_evidence(self, effect.evidence)
            case _:
                assert_never(effect)

    def _carry_out_of_pool(self, effect: pool_fx.Effect) -> None:
        match effect:
            case pool_fx.JudgeAgain():
                self._judge_again(effect)
            case pool_fx.JournalAppend():
                self.journal.append(self.world.now_ms, effect.raws)
            case pool_fx.JournalRewrite():
                self.journal.rewrite(effect.raws)
            case pool_fx.Acknowledge():
                self.watch.on_acknowledged(self, effect.hash)
            case pool_fx.Dropped() | pool_fx.Evicted():
                self.world.tell(self.position, f"lets {effect.hash.hex()[:8]} go: {effect.sentence}")
            case pool_fx.Refuse() | pool_fx.Added() | pool_fx.BecameReady():
                pass
            case pool_fx.Replaced() | pool_fx.Included():
                pass
            case _:
                assert_never(effect)

    def _gossip_at(self, at_ms: int, wish: int) -> None:
        """The newest wish replaces any earlier one."""
        self.later(at_ms - self.now_ms, lambda: GossipTimer() if wish == self._gossip_wish else None)

    def _serve(self, effect: shared.ServeBlock | shared.ServeBlocks) -> None:
        match effect:
            case shared.ServeBlock():
                body = self.door.shelf.body(effect.block)
                if body is None:
                    self.send(effect.peer, kinds.NO_BLOCK.number, effect.block)
                else:
                    self.send(effect.peer, kinds.BLOCK.number, encode_body(body))
            case shared.ServeBlocks():
                found = encode_blocks(self.door.shelf.blocks(effect.wish))
                self.send(effect.peer, kinds.BLOCKS.number, found)
            case _:
                assert_never(effect)

    # ── Work on the chain ───────────────────────────────────────────────────────────────────────────────────

    def _read(self, effect: fx.ReadBlock) -> ev.Input:
        return ev.BlockRead(effect.peer, self.door.read(effect.body), effect.body)

    def _range_read(self, effect: fx.ReadRange) -> ev.Input:
        return ev.RangeRead(effect.peer, *self.door.read_range(effect.blocks))

    def _built(self, effect: fx.BuildSlotBlock) -> ev.Input:
        try:
            return self.door.build(effect)
        except StorageFailed as error:
            return BuildFailed(str(error.args[0]))

    def _block_judged(self, effect: fx.JudgeBlock) -> ev.Input:
        try:
            return ev.BlockJudged(effect.hash, self.door.execute(effect.body))
        except (StorageFailed, UnknownBlock) as error:
            return ExecutionFailed(effect.hash, str(error.args[0]))

    def _recorded(self, effect: fx.RecordBlock) -> ev.Input:
        try:
            self.door.record(effect)
        except (StorageFailed, UnknownBlock) as error:
            return ev.RecordFailed(effect, str(error.args[0]))
        self.watch.on_recorded(self, effect)
        self._flush_sometimes()
        return ev.BlockRecorded(effect.hash)

    def _flush_sometimes(self) -> None:
        if not self.chain.flush_is_due() and self.world.dice.random() >= FLUSHES:
            return
        try:
            self.chain.flush()
            while self.chain.copy_some(COPY_NODES_MAX):
                pass
        except StorageFailed:
            self.world.tell(self.position, "cannot flush its chain")

    def _moved(self, effect: fx.MoveTags, senders: list[Address]) -> ev.Input:
        old = Hash32(self.chain.head.hash)
        try:
            moved = self.door.move(effect.tags, senders)
        except StorageFailed as error:
            return ev.MoveFailed(effect.tags, str(error.args[0]))
        self.watch.on_moved(self, old, moved)
        return moved

    # ── Records and signatures ──────────────────────────────────────────────────────────────────────────────

    def _written(self, effect: shared.WriteAhead) -> ev.Input:
        try:
            self.wal.begin_height()  # one block of ours at a time: what was kept of the last one has served
            self.wal.append_durable(encode_entries(effect))
        except StorageFailed as error:
            return LogFailed(effect.sequence, str(error.args[0]))
        self.watch.on_written(self, effect)
        return Logged(effect.sequence)

    def _append(self, effect: shared.AppendRecord) -> None:
        try:
            self.wal.append([encode_record(effect.record)])
        except StorageFailed:
            self.world.tell(self.position, "has no room for a seal in its log")

    def _signed(self, effect: shared.Sign) -> ev.Input:
        try:
            signature = self.signer.sign(effect.request)
        except SigningRefused as error:
            self.watch.on_refused(self, effect.request, error)
            return Refused(effect.request, error.why)
        self.watch.on_signed(self, effect.request)
        return Signed(effect.request, signature)

    # ── Transactions ────────────────────────────────────────────────────────────────────────────────────────

    def _judged(self, raws: list[bytes]) -> list[Candidate]:
        judged = candidates_of(self.chain.admit(self.node.pool.head.hash, raws)) if raws else []
        return [each for each in judged if isinstance(each, Candidate)]

    def _arrive(self, raws: list[bytes], origin: Origin) -> None:
        candidates = self._judged(raws)
        if candidates:
            arrived = Arrived(self.node.pool.head.hash, origin, candidates)
            self.later(0, lambda: arrived)

    def _judge_again(self, effect: pool_fx.JudgeAgain) -> None:
        head = self.node.pool.head.hash
        judged = self._judged([each.raw for each in effect.transactions])
        if effect.origin is not None:
            arrived = Arrived(head, effect.origin, judged)
            self.later(0, lambda: arrived)
            return
        verdicts = Judged(head, [(Hash32(each.transaction.hash), each.verdict) for each in judged])
        self.later(0, lambda: verdicts)
