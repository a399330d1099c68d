"""One simulated node: the real rotation machine, with fakes around it.

Each effect is carried out by the method of its name.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, assert_never

from coc.consensus import engine
from coc.consensus.bft.wal import BlockKept
from coc.consensus.rotation import effects as fx
from coc.consensus.rotation import inputs as ev
from coc.consensus.rotation.evidence import DoubleSeal
from coc.consensus.rotation.machine import RotationMachine
from coc.consensus.rotation.messages import Message, Status, decode_message, encode_message
from coc.consensus.rotation.rules import BlockFacts, Opening, SealedFacts, Setup
from coc.primitives.seals import NO_VALID_ROUND, Seal, SignRequest, Step
from coc.primitives.types import Hash32, Height, PeerId
from coc.primitives.votes import Proposal
from coc.sim.bft_crypto import Key, verify
from coc.sim.machines.node import MachineNode
from coc.sim.rotation.checkers import Ears
from coc.sim.rotation.disk import Disk, SimBlock, SimSigner
from coc.sim.rotation.plan import GENESIS

if TYPE_CHECKING:
    from coc.sim.rotation.network import Network

RANGE_BLOCKS = 20
"""Blocks in one answer."""


class SimNode(MachineNode[ev.Input, fx.Effect]):
    """A node of a run; `position` is its validator's place in the set."""

    network: Network
    machine: RotationMachine
    disk: Disk

    def __init__(
        self, network: Network, position: int, skew_ms: int, signer: SimSigner | None = None
    ) -> None:
        """A node that was never started; `signer` is one that it shares."""
        key = Key(network.rules.slots.validators.validators[position].id)
        peer = PeerId(blake2b(b"peer %d" % len(network.nodes), digest_size=32).digest())
        super().__init__(network, position, skew_ms, (key, peer))
        self.disk = Disk()
        self.shares_signer = signer is not None
        self.signer = signer or SimSigner(self.key)
        self.was_wiped = False
        self.memory: dict[Hash32, SimBlock] = {}
        self.in_tree: set[Hash32] = set()
        self.ears = Ears()
        self.found: set[int] = set()
        self.machine = self._new_machine()

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    def wake(self) -> None:
        """Make memory and machine from what the disk holds."""
        self.memory = dict(self.disk.bodies)
        self.in_tree = {self.disk.final, *(sealed.facts.hash for sealed in self.disk.chain())}
        self.machine = self._new_machine()
        self.was_wiped = False
        self.ears = Ears()
        self.found = set()

    def lose(self) -> None:
        """Lose what a crash takes, now and then the write-ahead log too."""
        super().lose()
        if self.network.dice.random() < self.network.plan.wipes:
            self.disk.wipe()
            self.was_wiped = True

    @property
    def slot_now(self) -> int:
        """The slot of its clock."""
        return self.network.rules.slots.slot_now(self.now_ms)

    def receive(self, sender: PeerId, content: bytes) -> None:
        """Take a message of a peer."""
        if not self.is_up:
            return
        message = decode_message(content)
        match message:
            case Proposal():
                self._hear(message)
                self.take(ev.SealReceived(sender, message))
            case Status():
                self.take(ev.StatusReceived(sender, message))
            case DoubleSeal():
                self.take(ev.EvidenceReceived(sender, message))
            case _:
                assert_never(message)

    def _hear(self, seal: Proposal) -> None:
        final = self.machine.final
        is_real = verify(seal.request(GENESIS).digest(), seal.signature) == seal.validator
        is_turn = seal.validator == self.network.rules.slots.proposer(seal.round).id
        if is_real and is_turn and seal.height > final.height and seal.round > final.slot:
            self.ears.on_seal(seal)

    def receive_block(self, block: SimBlock) -> None:
        """Take the bytes of a block."""
        if self.is_up:
            self.memory.setdefault(block.facts.hash, block)
            self.take(ev.BlockArrived(block.facts))

    def body(self, block: Hash32) -> SimBlock | None:
        """The bytes of a block, if they are here."""
        logged = self.disk.log.get(block)
        return logged[0] if logged is not None else self.memory.get(block)

    def give_block(self, block: Hash32, asker: SimNode) -> None:
        """Send the bytes of a block to a peer that asks."""
        found = self.body(block)
        if self.is_up and found is not None:
            self.network.send(self, asker, lambda: asker.receive_block(found))

    def give_range(self, first: Height, asker: SimNode) -> None:
        """Send blocks of our chain."""
        chain: list[SealedFacts] = []
        at = self.disk.head
        while at != GENESIS:
            block, seal = self.disk.log[at]
            if block.facts.height < first:
                break
            chain.append(SealedFacts(block.facts, seal))
            at = block.facts.parent
        blocks = tuple(reversed(chain))[:RANGE_BLOCKS]
        if self.is_up and blocks:
            bodies = [self.disk.log[sealed.facts.hash][0] for sealed in blocks]
            self.network.send(self, asker, lambda: asker.receive_range(self.peer, bodies, blocks))

    def receive_range(self, sender: PeerId, bodies: list[SimBlock], blocks: tuple[SealedFacts, ...]) -> None:
        """Take blocks of a peer's chain."""
        if self.is_up:
            for body in bodies:
                self.memory.setdefault(body.facts.hash, body)
            self.take(ev.RangeArrived(sender, blocks))

    # ── Effects ─────────────────────────────────────────────────────────────────────────────────────────────

    def carry_out(self, effect: fx.Effect) -> None:
        """Do what an effect asks for."""
        dice, network = self.network.dice, self.network
        match effect:
            case fx.SetTimer(timer, at_ms):
                self.wake_at(at_ms, ev.TimerFired(timer))
            case fx.Build():
                self.later(dice.randint(1, 60), lambda: self.build(effect))
            case engine.Fetch():
                self.fetch(effect)
            case fx.FetchRange():
                asked = network.node_of(effect.peer)
                network.send(self, asked, lambda: asked.give_range(effect.first, self))
            case fx.Execute():
                self.later(dice.randint(1, 30), lambda: self._execute(effect.block))
            case engine.Persist():
                self._persist(effect)
            case engine.Sign():
                self.later(dice.randint(0, 2), lambda: self.sign(effect.request))
            case engine.Append():
                self.disk.unsynced.append(effect.record)
            case fx.Record():
                self.later(dice.randint(0, 10), lambda: self._record(effect))
            case fx.MoveHead():
                self._move_head(effect)
            case fx.Broadcast():
                for peer in network.others(self):
                    self.send(peer, effect.message)
            case fx.EvidenceFound():
                self.found.add(effect.evidence.first.round)
                network.story(self, f"evidence of slot {effect.evidence.first.round}")
            case engine.Misbehaved():
                network.on_accused(effect.peer, effect.reason)
            case engine.Alarm():
                network.story(self, effect.reason)
            case _:
                assert_never(effect)

    def send(self, peer: SimNode, message: Message) -> None:
        """Send a message."""
        if self.network.plan.loses_seals and isinstance(message, Proposal):
            return
        content = encode_message(message)
        self.network.send(self, peer, lambda: peer.receive(self.peer, content))

    def build(self, wish: fx.Build) -> None:
        """Make a block."""
        self.take(ev.Built(self.make(wish.parent, wish.height, wish.slot, wish.parent_seal).facts))

    def make(
        self, parent: Hash32, height: Height, slot: int, parent_seal: Seal | None, *, is_valid: bool = True
    ) -> SimBlock:
        """A new block, whose bytes are here."""
        seed = repr((parent, height, slot, self.network.dice.getrandbits(64))).encode()
        name = Hash32(blake2b(seed, digest_size=32).digest())
        block = SimBlock(BlockFacts(name, parent, height, slot, parent_seal), is_valid)
        self.network.watch.blocks[name] = block
        self.memory[name] = block
        return block

    def _persist(self, effect: engine.Persist) -> None:
        for record in effect.records:
            if isinstance(record, BlockKept):
                self.disk.bodies[record.block] = self.memory[record.block]
            self.disk.unsynced.append(record)
        self.later(self.network.dice.randint(0, 8), lambda: self.sync(effect.sequence))

    def sign(self, request: SignRequest) -> None:
        """Ask the signer, and say what it said."""
        watch = self.network.watch
        if self.is_honest:
            watch.on_sign(has_intent=self.disk.has_intent(request))
        answer = self.signer.sign(request)
        if isinstance(answer, str):
            if self.is_honest and not self.shares_signer:
                watch.on_refused(answer)
            self.take(engine.SignatureRefused(request, answer))
            return
        if self.is_honest:
            watch.on_signed(self.key.address, request)
        self.take(engine.SignatureMade(request, answer))

    def sealed(self, block: SimBlock, author: Key | None = None) -> Proposal:
        """A seal that no machine asked for, in the name of a slot's proposer; for liars."""
        facts = block.facts
        request = SignRequest(GENESIS, facts.height, facts.slot, Step.PROPOSAL, facts.hash)
        name = (author or self.key).address
        return Proposal(
            facts.height, facts.slot, facts.hash, NO_VALID_ROUND, name, self.key.sign(request.digest())
        )

    def _execute(self, name: Hash32) -> None:
        block = self.body(name)
        assert block is not None, "a block was executed whose bytes are not here"  # noqa: S101 - a fault of the run
        self.take(ev.Executed(name, block.is_valid))

    def _record(self, effect: fx.Record) -> None:
        block = self.memory[effect.block] if effect.block in self.memory else self.disk.log[effect.block][0]
        if self.is_honest:
            facts = block.facts
            request = SignRequest(GENESIS, facts.height, effect.seal.slot, Step.PROPOSAL, facts.hash)
            author = verify(request.digest(), effect.seal.signature)
            self.network.watch.on_record(effect.block, author)
        self.disk.log[effect.block] = (block, effect.seal)
        self.in_tree.add(effect.block)
        self.take(ev.Recorded(effect.block))

    def _move_head(self, effect: fx.MoveHead) -> None:
        disk = self.disk
        if self.is_honest:
            tags = (effect.head, effect.safe, effect.final)
            self.network.watch.on_move(self.in_tree, (disk.final, disk.head), tags, self.slot_now)
        disk.final, disk.head = effect.final, effect.head
        self.network.story(self, f"head {effect.head.hex()[:8]} at {self.machine.head.height}")

    def _new_machine(self) -> RotationMachine:
        disk = self.disk
        silent = self.slot_now + 1 if self.was_wiped else -1
        setup = Setup(self.network.rules, self.key.address, verify, silent)
        opening = Opening(disk.final_block(), disk.chain(), tuple(disk.durable), disk.kept())
        return RotationMachine(setup, opening)
