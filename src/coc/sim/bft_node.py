"""One simulated validator: the real BFT machine, with a fake disk, signer and executor around it.

Each effect is carried out by the method of its name.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, assert_never

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as ev
from coc.consensus.bft.machine import BftMachine
from coc.consensus.bft.messages import Message, Status, decode_message, encode_message
from coc.consensus.bft.rules import BlockFacts, HeightFacts, Setup
from coc.primitives.types import Hash32, Height
from coc.primitives.votes import CommitCertificate, Evidence, Proposal, Vote
from coc.sim.bft_crypto import Key, verify
from coc.sim.bft_disk import Disk, SimBlock, SimSigner
from coc.sim.machines.node import MachineNode

if TYPE_CHECKING:
    from coc.sim.bft_network import Network


class SimNode(MachineNode[ev.Input, fx.Effect]):
    """A validator of a run; `position` is its place in the set."""

    network: Network
    machine: BftMachine
    disk: Disk

    def __init__(self, network: Network, position: int, skew_ms: int) -> None:
        """A node that was never started."""
        key = Key(network.validators.validators[position].id)
        super().__init__(network, position, skew_ms, (key, ev.PeerId(key.address)))
        self.disk = Disk()
        self.signer = SimSigner(self.key)
        self.memory: set[Hash32] = set()
        self.machine = self._new_machine()

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    def wake(self) -> None:
        """Make memory and machine from what the disk holds."""
        self.memory = set(self.disk.blocks)
        self.machine = self._new_machine()

    def lose(self) -> None:
        """Lose what a crash takes."""
        self.network.watch.on_crash(self)
        super().lose()

    @property
    def height(self) -> Height:
        """The height in progress."""
        return Height(len(self.disk.log) + 1)

    def receive(self, sender: ev.PeerId, message: Message | bytes) -> None:
        """Take a message of a peer."""
        if isinstance(message, bytes):
            message = decode_message(message)
        self.network.watch.on_received(self, message)
        match message:
            case Vote():
                self.take(ev.VoteReceived(sender, message))
            case Proposal():
                self.take(ev.ProposalReceived(sender, message))
            case CommitCertificate():
                self.take(ev.CertificateReceived(sender, message))
            case Evidence():
                self.take(ev.EvidenceReceived(sender, message))
            case Status():
                self.take(ev.StatusReceived(sender, message))

    def receive_block(self, block: Hash32) -> None:
        """Take the bytes of a block."""
        if self.is_up:
            self.memory.add(block)
            self.take(ev.BlockArrived(block))

    def give_block(self, block: Hash32, asker: SimNode) -> None:
        """Send the bytes of a block to a peer that asks, if they are here."""
        if self.is_up and block in self.memory:
            self.network.send(self, asker, lambda: asker.receive_block(block))

    # ── Effects ─────────────────────────────────────────────────────────────────────────────────────────────

    def carry_out(self, effect: fx.Effect) -> None:
        """Do what an effect asks for."""
        match effect:
            case fx.SetTimer(timer, at_ms):
                self.wake_at(at_ms, ev.TimerFired(timer))
            case fx.Build():
                self.later(self.network.dice.randint(1, 5), lambda: self.build(effect))
            case fx.Fetch():
                self.fetch(effect)
            case fx.Execute():
                self.later(self.network.dice.randint(1, 5), lambda: self._execute(effect.block))
            case fx.Persist():
                self.disk.append(*effect.records)
                self.later(self.network.dice.randint(0, 4), lambda: self.sync(effect.sequence))
            case fx.Sign():
                self.later(self.network.dice.randint(0, 1), lambda: self._sign(effect))
            case fx.Append():
                self.disk.append(effect.record)
            case fx.Broadcast():
                for peer in self.network.others(self):
                    self.send(peer, effect.message)
            case fx.SendTo():
                self.send(self.network.node_of(effect.peer), effect.message)
            case fx.SendStoredCertificate():
                if 0 < effect.height <= len(self.disk.log):
                    stored = self.disk.log[effect.height - 1][1]
                    self.send(self.network.node_of(effect.peer), stored)
            case fx.Decide():
                self.later(self.network.dice.randint(0, 4), lambda: self._decide(effect))
            case fx.EvidenceFound():
                self.network.watch.on_evidence(self, effect.evidence)
            case fx.Alarm():
                self.network.watch.on_alarm(self, effect.reason)
            case fx.CatchUp() | fx.Misbehaved():
                pass
            case _:
                assert_never(effect)

    def send(self, peer: SimNode, message: Message) -> None:
        """Send a message; own votes and proposals are held to the rule that their record comes first."""
        if isinstance(message, Vote | Proposal) and message.validator == self.key.address:
            self.network.watch.on_sent(self, message)
        content = encode_message(message) if self.network.plan.is_encoded else message
        self.network.send(self, peer, lambda: peer.receive(self.peer, content), _kind(message))
        if isinstance(message, Proposal) and message.block in self.memory:
            self.network.send(self, peer, lambda: peer.receive_block(message.block))

    def build(self, wish: fx.Build) -> None:
        """Make a block."""
        block = self.make_block(wish.height, wish.parent, wish.round)
        self.memory.add(block.hash)
        self.take(ev.Built(wish.height, wish.round, block.hash, block.facts))

    def make_block(
        self, height: Height, parent: Hash32, original_round: int, *, is_valid: bool = True
    ) -> SimBlock:
        """A new block with this node as its proposer."""
        parent_time = self.disk.log[-1][0].facts.time_ms if self.disk.log else 0
        facts = BlockFacts(original_round, self.key.address, max(parent_time + 1, self.now_ms))
        nonce = self.network.dice.getrandbits(64)
        seed = repr((height, parent, facts, is_valid, nonce)).encode()
        block = SimBlock(Hash32(blake2b(seed, digest_size=32).digest()), height, parent, facts, is_valid)
        self.network.blocks[block.hash] = block
        return block

    def _execute(self, name: Hash32) -> None:
        block = self.network.blocks[name]
        is_next = block.height == self.height and block.parent == self._head()
        is_valid = name in self.memory and block.is_valid and is_next
        self.take(ev.Executed(name, block.facts if is_valid else None))

    def _sign(self, effect: fx.Sign) -> None:
        signature = self.signer.sign(effect.request)
        if signature is None:
            self.network.watch.on_refused(self, effect.request)
            self.take(ev.SignatureRefused(effect.request, "the mark is at or above this place"))
        else:
            self.take(ev.SignatureMade(effect.request, signature))

    def _decide(self, effect: fx.Decide) -> None:
        block = self.network.blocks[effect.block]
        self.disk.end_height(block, effect.certificate)
        self.network.watch.on_decided(self, block, effect.certificate)
        self.take(ev.HeightOpened(self._facts()))

    # ── The chain so far ────────────────────────────────────────────────────────────────────────────────────

    def _new_machine(self) -> BftMachine:
        opening = ev.HeightOpened(self._facts(), tuple(self.disk.durable))
        setup = Setup(self.network.rules, self.key.address, verify)
        return BftMachine(setup, opening, self.now_ms)

    def _facts(self) -> HeightFacts:
        validators = self.network.validators
        block, certificate = self.disk.log[-1] if self.disk.log else (None, None)
        return HeightFacts(
            self.height,
            self._head(),
            block.facts.time_ms if block else 0,
            validators,
            validators,
            parent_certificate=certificate,
        )

    def _head(self) -> Hash32:
        return self.disk.log[-1][0].hash if self.disk.log else self.network.rules.genesis_hash


def _kind(message: Message) -> str:
    return message.step.name if isinstance(message, Vote) else type(message).__name__
