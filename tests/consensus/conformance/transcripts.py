"""What engines were told and what they asked for, in lives of real machines on simulated networks.

A life can be played again: a machine made the same way and told the same must ask for the same. A subject is
an engine as the suite sees it; whatever differs between engines is answered here and nowhere in the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from coc.consensus import engine
from coc.consensus.bft import effects as bft_fx
from coc.consensus.bft import inputs as bft
from coc.consensus.bft.machine import BftMachine
from coc.consensus.bft.messages import Phase
from coc.consensus.bft.messages import Status as BftStatus
from coc.consensus.bft.wal import Intent, Record
from coc.consensus.engine import ConsensusEngine
from coc.consensus.rotation import effects as rotation_fx
from coc.consensus.rotation import engine as alone
from coc.consensus.rotation import inputs as rotation
from coc.consensus.rotation.evidence import DoubleSeal
from coc.consensus.rotation.idle import IdleEngine
from coc.consensus.rotation.machine import RotationMachine
from coc.consensus.rotation.messages import Status
from coc.consensus.rotation.rules import BlockFacts, SealedFacts
from coc.primitives.seals import Seal, SignRequest, Step
from coc.primitives.types import Address, Hash32, Height, Millis, PeerId, Signature
from coc.primitives.votes import CommitCertificate, Evidence, Proposal, Vote
from coc.sim import bft_node
from coc.sim.bft_campaign import run as run_bft
from coc.sim.bft_crypto import Key
from coc.sim.bft_plan import address_at as bft_address
from coc.sim.bft_plan import plan_of as bft_plan
from coc.sim.rotation import node as rotation_node
from coc.sim.rotation.campaign import run as run_rotation
from coc.sim.rotation.plan import address_at, plan_of

PEER = PeerId(b"\x99" * 32)
NOWHERE = Hash32(b"\xee" * 32)
STRANGER = Key(Address(b"\xdd" * 20))


@dataclass(slots=True)
class Life:
    """One machine from its start to its end; `who` is the same for all lives of a validator."""

    who: Any
    make: Callable[[], Any]
    records: tuple[Record, ...] = ()
    steps: list[tuple[Millis, Any, list[Any]]] = field(default_factory=list)

    def again(self) -> Any:
        """A machine that was told the same, up to the end."""
        machine = self.make()
        for now_ms, event, _ in self.steps:
            machine.step(now_ms, event)
        return machine

    @property
    def end_ms(self) -> Millis:
        """When it ended."""
        return self.steps[-1][0]

    def effects(self) -> Iterator[Any]:
        """All that was asked for."""
        for _, _, effects in self.steps:
            yield from effects


@dataclass(frozen=True)
class Subject:
    """An engine, and how to ask it what the suite wants to know."""

    name: str
    lives: Callable[[], list[Life]]
    place: Callable[[SignRequest], Any]
    has_records: bool
    """Whether intents come before signatures; one alone writes its block before anybody sees them."""
    wishes: tuple[type, ...]
    """Effects that a late timer must not bring forth."""
    decided: Callable[[Any], Hash32 | None]
    found_valid: Callable[[Any], Hash32 | None]
    finals: Callable[[Life], list[int]]
    answers_to_nothing: tuple[Any, ...]
    hostile: Callable[[Random, Life], list[Any]]


@contextmanager
def _recorded(module: Any, name: str, lives: list[Life], records: Callable[..., Any]) -> Iterator[None]:
    """Have every machine that a simulation makes write down what it is told."""
    sound = getattr(module, name)

    class Recording(sound):  # type: ignore[misc,valid-type]  # whichever machine it is
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            found = records(*arguments)
            self.life = Life(arguments[0].own, lambda: sound(*arguments), found)
            lives.append(self.life)

        def step(self, now_ms: Millis, event: Any, /) -> list[Any]:
            effects: list[Any] = super().step(now_ms, event)
            self.life.steps.append((now_ms, event, effects))
            return effects

    setattr(module, name, Recording)
    try:
        yield
    finally:
        setattr(module, name, sound)


def bft_lives() -> list[Life]:
    """Honest validators that crash and lose messages."""
    lives: list[Life] = []
    plan = next(plan for plan in map(bft_plan, range(100)) if not plan.liars and plan.crashes and plan.loss)
    with _recorded(bft_node, "BftMachine", lives, lambda _, opening, __: opening.records):
        run_bft(plan)
    return [life for life in lives if life.steps]


def rotation_lives() -> list[Life]:
    """Honest validators that crash, lose messages and are split."""
    lives: list[Life] = []
    plans = (plan_of(seed, "") for seed in range(100))
    plan = next(
        plan for plan in plans if plan.crashes and plan.loss and plan.cuts and not plan.has_shared_signer
    )
    with _recorded(rotation_node, "RotationMachine", lives, lambda _, opening: opening.records):
        run_rotation(plan)
    return [life for life in lives if life.steps]


def alone_lives() -> list[Life]:
    """One validator whose disk fails now and then, stopped and started."""
    dice = Random(1)
    lives: list[Life] = []
    rules = plan_of(0, "").rules().slots
    rules = type(rules)(rules.genesis_hash, 0, 1, type(rules.validators)(rules.validators.validators[:1]))
    key = Key(address_at(0))
    head = alone.HeadFacts(rules.genesis_hash, Height(0), 0, b"")
    schedule = alone.Schedule(alone.Sealing.INTERVAL, 1_000)
    now_ms = Millis(1_000_000)
    for _ in range(3):
        start = head
        life = Life("alone", lambda start=start: alone.RotationEngine(rules, schedule, start))  # type: ignore[misc]
        machine = life.make()
        queue: list[Any] = [alone.Started()]
        timestamp_s = 0
        for _ in range(60):
            event = queue.pop(0) if queue else alone.Due()
            effects = machine.step(now_ms, event)
            life.steps.append((now_ms, event, effects))
            now_ms = Millis(now_ms + 300)
            for effect in effects:
                match effect:
                    case alone.Build():
                        name = Hash32(dice.randbytes(32))
                        timestamp_s = effect.timestamp_s
                        queue.append(alone.BlockBuilt(name, is_empty=False))
                    case alone.Sign():
                        queue.append(alone.Signed(key.sign(effect.request.digest())))
                    case alone.Decide() if dice.random() < 0.2:
                        queue.append(alone.Failed("no room", 500, keeps_block=True))
                    case alone.Decide():
                        head = alone.HeadFacts(effect.hash, Height(head.height + 1), timestamp_s, effect.seal)
                        queue.append(alone.Decided(head))
                    case _:
                        pass
        lives.append(life)
    return lives


def hostile_to_bft(dice: Random, life: Life) -> list[Any]:
    """Messages of peers that are out of turn, forged, or of strangers."""
    height = next(
        event.facts.height for _, event, _ in reversed(life.steps) if isinstance(event, bft.HeightOpened)
    )
    found: list[Any] = []
    for _ in range(50):
        author = dice.choice([STRANGER.address, bft_address(dice.randrange(4))])
        block = Hash32(dice.randbytes(32))
        at = Height(height + dice.randint(0, 2))
        junk = Signature(dice.randbytes(45) + dice.choice([author, STRANGER.address]))
        vote = Vote(at, dice.randint(0, 9), dice.choice([Step.PREVOTE, Step.PRECOMMIT]), block, author, junk)
        proposal = Proposal(at, dice.randint(0, 9), block, -1, author, junk)
        certificate = CommitCertificate(height, 0, block, NOWHERE, 0b111, (junk,) * 3)
        first, second = sorted((proposal, Proposal(at, proposal.round, NOWHERE, -1, author, junk)), key=repr)
        found += [
            bft.VoteReceived(PEER, vote),
            bft.ProposalReceived(PEER, proposal),
            bft.CertificateReceived(PEER, certificate),
            bft.EvidenceReceived(PEER, Evidence(first, second)),
            bft.StatusReceived(PEER, BftStatus(height, dice.randint(0, 9), Phase.DECIDED)),
        ]
    return found


def hostile_to_rotation(dice: Random, life: Life) -> list[Any]:
    """Seals, statuses, evidence and ranges that nobody honest sends."""
    del life
    found: list[Any] = []
    for number in range(50):
        author = dice.choice([STRANGER.address, address_at(dice.randrange(4))])
        junk = Signature(dice.randbytes(45) + author)
        height, slot = Height(dice.randint(1, 10_000)), dice.randint(1, 100_000)
        seal = Proposal(height, slot, Hash32(dice.randbytes(32)), -1, author, junk)
        other = Proposal(height, slot, NOWHERE, -1, author, junk)
        facts = BlockFacts(Hash32(dice.randbytes(32)), NOWHERE, Height(20_000 + number), slot, None)
        found += [
            rotation.SealReceived(PEER, seal),
            rotation.StatusReceived(PEER, Status(seal, Height(dice.randint(0, 99)))),
            rotation.EvidenceReceived(PEER, DoubleSeal(seal, other)),
            rotation.RangeArrived(PEER, (SealedFacts(facts, Seal(slot, junk)),)),
            rotation.BlockArrived(facts),
        ]
    return found


def intents_of(life: Life) -> Iterator[tuple[int, SignRequest]]:
    """Every intent with the step in which it was durable; -1 for what an earlier life left."""
    for record in life.records:
        if isinstance(record, Intent):
            yield -1, record.request
    asked: dict[int, tuple[Record, ...]] = {}
    for index, (_, event, effects) in enumerate(life.steps):
        if isinstance(event, engine.Persisted):
            for record in asked.pop(event.sequence, ()):
                if isinstance(record, Intent):
                    yield index, record.request
        asked.update((each.sequence, each.records) for each in effects if isinstance(each, engine.Persist))


def _finals_of_bft(life: Life) -> list[int]:
    return [each.height for each in life.effects() if isinstance(each, bft_fx.Decide)]


def _finals_of_rotation(life: Life) -> list[int]:
    machine: RotationMachine = life.make()
    found = []
    for now_ms, event, _ in life.steps:
        machine.step(now_ms, event)
        found.append(int(machine.final.height))
    return found


def _finals_of_one_alone(life: Life) -> list[int]:
    return [event.head.height for _, event, _ in life.steps if isinstance(event, alone.Decided)]


def _built_by_bft(event: Any) -> Hash32 | None:
    if isinstance(event, bft.Built) or (isinstance(event, bft.Executed) and event.facts is not None):
        return event.block
    return None


NOTHING_ASKED = SignRequest(NOWHERE, Height(77), 77, Step.PROPOSAL, NOWHERE)
SHARED_ANSWERS: tuple[Any, ...] = (
    engine.Persisted(10**9),
    engine.PersistFailed(10**9, "no room"),
    engine.SignatureMade(NOTHING_ASKED, STRANGER.sign(NOWHERE)),
    engine.SignatureRefused(NOTHING_ASKED, "the mark"),
    engine.PeerGone(PEER),
)
SIGNS = (engine.Sign, engine.Persist, engine.Append)


def _all_are_engines(
    one: BftMachine, other: RotationMachine, third: alone.RotationEngine, fourth: IdleEngine
) -> tuple[
    ConsensusEngine[bft.Input, bft_fx.Effect],
    ConsensusEngine[rotation.Input, rotation_fx.Effect],
    ConsensusEngine[alone.Input, alone.Effect],
    ConsensusEngine[alone.Input, alone.Effect],
]:
    """The type checker's part of the suite."""
    return one, other, third, fourth


SUBJECTS = (
    Subject(
        "bft",
        bft_lives,
        lambda request: (request.height, request.round, request.step),
        has_records=True,
        wishes=(*SIGNS, bft_fx.Build, bft_fx.Decide),
        decided=lambda effect: effect.block if isinstance(effect, bft_fx.Decide) else None,
        found_valid=_built_by_bft,
        finals=_finals_of_bft,
        answers_to_nothing=(
            *SHARED_ANSWERS,
            bft.Executed(NOWHERE, None),
            bft.BlockArrived(NOWHERE),
        ),
        hostile=hostile_to_bft,
    ),
    Subject(
        "rotation",
        rotation_lives,
        lambda request: request.round,
        has_records=True,
        wishes=(*SIGNS, rotation_fx.Build, rotation_fx.Record),
        decided=lambda effect: effect.block if isinstance(effect, rotation_fx.Record) else None,
        found_valid=lambda event: (
            event.block if isinstance(event, rotation.Executed) and event.is_valid else None
        ),
        finals=_finals_of_rotation,
        answers_to_nothing=(
            *SHARED_ANSWERS,
            rotation.Executed(NOWHERE, is_valid=True),
            rotation.Recorded(NOWHERE),
            rotation.Built(BlockFacts(NOWHERE, NOWHERE, Height(1), 1, None)),
        ),
        hostile=hostile_to_rotation,
    ),
    Subject(
        "rotation alone",
        alone_lives,
        lambda request: (request.height, request.round),
        has_records=False,
        wishes=(alone.Sign, alone.Build, alone.Decide),
        decided=lambda effect: effect.hash if isinstance(effect, alone.Decide) else None,
        found_valid=lambda event: event.hash if isinstance(event, alone.BlockBuilt) else None,
        finals=_finals_of_one_alone,
        answers_to_nothing=(),
        hostile=lambda dice, life: [],
    ),
)
