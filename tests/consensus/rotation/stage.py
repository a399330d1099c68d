"""One machine of four, position 3, with names for blocks and seals that cost nothing."""

from __future__ import annotations

from typing import TypeVar

from coc.consensus import engine
from coc.consensus.rotation import effects as fx
from coc.consensus.rotation import inputs as ev
from coc.consensus.rotation.machine import RotationMachine
from coc.consensus.rotation.rules import BlockFacts, FinalBlock, NetworkRules, Opening, Setup
from coc.primitives.seals import NO_VALID_ROUND, Seal, SignRequest, Step
from coc.primitives.types import Hash32, Height, Millis, PeerId
from coc.primitives.votes import Proposal
from coc.sim.bft_crypto import Key, verify
from coc.sim.rotation.plan import GENESIS, START_MS, Plan

RULES: NetworkRules = Plan(0, 4).rules()
KEYS = [Key(entry.id) for entry in RULES.slots.validators.validators]
OWN = 3
PEER, OTHER = PeerId(b"\x01" * 32), PeerId(b"\x02" * 32)
E = TypeVar("E")


def name(number: int) -> Hash32:
    return Hash32(number.to_bytes(32, "big"))


def facts(number: int, parent: Hash32, height: int, slot: int, parent_slot: int | None = None) -> BlockFacts:
    """A block; its parent's seal is a real one if the parent's slot is given."""
    seal = None
    if parent_slot is not None:
        made = sealed(parent, height - 1, parent_slot)
        seal = Seal(parent_slot, made.signature)
    return BlockFacts(name(number), parent, Height(height), slot, seal)


def sealed(block: Hash32, height: int, slot: int, key: Key | None = None) -> Proposal:
    """The seal of the slot's proposer, or of another key in its name."""
    owner = KEYS[slot % len(KEYS)]
    request = SignRequest(GENESIS, Height(height), slot, Step.PROPOSAL, block)
    signature = (key or owner).sign(request.digest())
    return Proposal(Height(height), slot, block, NO_VALID_ROUND, owner.address, signature)


def seal_for(block: BlockFacts) -> Proposal:
    return sealed(block.hash, block.height, block.slot)


class Stage:
    """The machine, and a clock to turn."""

    def __init__(self, opening: Opening | None = None, silent_until_slot: int = -1, own: int = OWN) -> None:
        setup = Setup(RULES, KEYS[own].address, verify, silent_until_slot)
        self.machine = RotationMachine(setup, opening or Opening(FinalBlock(GENESIS, Height(0), 0)))
        self.now_ms = Millis(START_MS)

    def at_slot(self, slot: int) -> Stage:
        self.now_ms = RULES.slots.begins_ms(slot)
        return self

    def step(self, event: ev.Input) -> list[fx.Effect]:
        return self.machine.step(self.now_ms, event)

    def start(self) -> list[fx.Effect]:
        return self.step(engine.Started())

    def slot(self, slot: int) -> list[fx.Effect]:
        """The clock reaches a slot of ours."""
        self.at_slot(slot)
        return self.step(ev.TimerFired(ev.Timer(ev.TimerKind.SLOT, slot)))

    def announce(self, block: BlockFacts, peer: PeerId = PEER) -> list[fx.Effect]:
        return self.step(ev.SealReceived(peer, seal_for(block)))

    def bring(self, block: BlockFacts, peer: PeerId = PEER) -> list[fx.Effect]:
        """Announce, deliver, execute and record a block whose parent is there."""
        effects = self.announce(block, peer)
        effects += self.step(ev.BlockArrived(block))
        effects += self.step(ev.Executed(block.hash, is_valid=True))
        return [*effects, *self.step(ev.Recorded(block.hash))]


def of(effects: list[fx.Effect], kind: type[E]) -> list[E]:
    """The effects of one kind."""
    return [each for each in effects if isinstance(each, kind)]
