"""A validator of four on a stage: the test speaks for the three others, the log, the signer and the clock.

`feed` hands in one input; `play` also answers what log and signer are asked, as a healthy node would.
Proposers rotate: with height 4, round `r` is proposed by position `r % 4`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as ev
from coc.consensus.bft.machine import BftMachine
from coc.consensus.bft.rules import BftRules, BlockFacts, HeightFacts, Setup, Timeout
from coc.consensus.bft.wal import Intent, Record
from coc.primitives.frozen import replace
from coc.primitives.seals import NO_VALID_ROUND, SignRequest, Step
from coc.primitives.types import Hash32, Height, Millis, Signature
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import CommitCertificate, Proposal, Signed, Vote
from coc.sim.bft_crypto import Key, verify
from coc.sim.bft_plan import Plan, address_at

E = TypeVar("E", bound=fx.Effect)

HEIGHT = Height(4)
GENESIS = Hash32(b"g" * 32)
PARENT = Hash32(b"p" * 32)
BLOCK = Hash32(b"a" * 32)
OTHER = Hash32(b"b" * 32)
PEER = ev.PeerId(b"peer 1")
ANOTHER_PEER = ev.PeerId(b"peer 2")
NO_SIGNATURE = Signature(bytes(65))
PARENT_TIME_MS = 10_000
RULES = BftRules(
    GENESIS,
    interval_ms=1_000,
    propose=Timeout(500, 100, 2_000),
    prevote=Timeout(200, 50, 1_000),
    precommit=Timeout(300, 50, 1_000),
    resend_ms=400,
    clock_tolerance_ms=5_000,
)


def validators(*powers: int) -> ValidatorSet:
    return Plan(0, len(powers), powers).validators()


FOUR = validators(1, 1, 1, 1)


def of_kind(effects: Sequence[fx.Effect], kind: type[E]) -> list[E]:
    return [effect for effect in effects if isinstance(effect, kind)]


def sent(effects: Sequence[fx.Effect]) -> list[Signed]:
    """The votes and proposals that were broadcast."""
    return [
        effect.message
        for effect in effects
        if isinstance(effect, fx.Broadcast) and isinstance(effect.message, Vote | Proposal)
    ]


def spoken(effects: Sequence[fx.Effect]) -> list[tuple[str, int, Hash32 | None]]:
    """What was broadcast, as (step, round, block)."""
    return [
        ("PROPOSAL" if isinstance(message, Proposal) else message.step.name, message.round, message.block)
        for message in sent(effects)
    ]


def intents(effects: Sequence[fx.Effect]) -> list[SignRequest]:
    return [
        record.request
        for effect in of_kind(effects, fx.Persist)
        for record in effect.records
        if isinstance(record, Intent)
    ]


def facts_of(original_round: int = 0, *, proposer: int | None = None, time_ms: int = 11_000) -> BlockFacts:
    position = original_round % 4 if proposer is None else proposer
    return BlockFacts(original_round, address_at(position), time_ms)


def vote(position: int, step: Step, round_: int, block: Hash32 | None, height: Height = HEIGHT) -> Vote:
    unsigned = Vote(height, round_, step, block, address_at(position), NO_SIGNATURE)
    return replace(unsigned, signature=Key(unsigned.validator).sign(unsigned.request(GENESIS).digest()))


def prevote(position: int, round_: int, block: Hash32 | None) -> Vote:
    return vote(position, Step.PREVOTE, round_, block)


def precommit(position: int, round_: int, block: Hash32 | None) -> Vote:
    return vote(position, Step.PRECOMMIT, round_, block)


def proposal(
    round_: int, block: Hash32, valid_round: int = NO_VALID_ROUND, height: Height = HEIGHT
) -> Proposal:
    unsigned = Proposal(height, round_, block, valid_round, address_at((height + round_) % 4), NO_SIGNATURE)
    return replace(unsigned, signature=Key(unsigned.validator).sign(unsigned.request(GENESIS).digest()))


def certificate(
    round_: int, block: Hash32, signers: Sequence[int], height: Height = HEIGHT
) -> CommitCertificate:
    signatures = tuple(
        vote(position, Step.PRECOMMIT, round_, block, height).signature for position in signers
    )
    bitmap = sum(1 << position for position in signers)
    return CommitCertificate(height, round_, block, FOUR.hash(), bitmap, signatures)


def height_facts(height: Height = HEIGHT, parent: Hash32 = PARENT, **changes: object) -> HeightFacts:
    facts = HeightFacts(height, parent, PARENT_TIME_MS, FOUR, FOUR)
    return replace(facts, **changes)


class Playbook:
    """One validator at a height, and the time."""

    def __init__(
        self,
        position: int | None = 3,
        records: tuple[Record, ...] = (),
        facts: HeightFacts | None = None,
        now_ms: int = 11_000,
    ) -> None:
        self.now_ms = now_ms
        self.position = position
        own = None if position is None else address_at(position)
        opening = ev.HeightOpened(facts or height_facts(), records)
        self.machine = BftMachine(Setup(RULES, own, verify), opening, Millis(now_ms))

    def start(self) -> list[fx.Effect]:
        return self.play(ev.Started())

    def feed(self, event: ev.Input) -> list[fx.Effect]:
        return self.machine.step(Millis(self.now_ms), event)

    def play(self, event: ev.Input) -> list[fx.Effect]:
        """Hand in an input, then what log and signer answer; all effects in order."""
        effects: list[fx.Effect] = []
        waiting: list[ev.Input] = [event]
        while waiting:
            for effect in self.feed(waiting.pop(0)):
                effects.append(effect)
                if isinstance(effect, fx.Persist):
                    waiting.append(ev.Persisted(effect.sequence))
                elif isinstance(effect, fx.Sign):
                    waiting.append(self.signature(effect.request))
        return effects

    def signature(self, request: SignRequest) -> ev.SignatureMade:
        assert self.position is not None
        return ev.SignatureMade(request, Key(address_at(self.position)).sign(request.digest()))

    def hear(self, *messages: Signed) -> list[fx.Effect]:
        """Messages of peers; all effects in order."""
        effects: list[fx.Effect] = []
        for message in messages:
            if isinstance(message, Proposal):
                effects += self.play(ev.ProposalReceived(PEER, message))
            else:
                effects += self.play(ev.VoteReceived(PEER, message))
        return effects

    def hold(self, block: Hash32, facts: BlockFacts | None) -> list[fx.Effect]:
        """The block's bytes arrive, and its verdict when it is asked for."""
        effects = self.play(ev.BlockArrived(block))
        if any(effect.block == block for effect in of_kind(effects, fx.Execute)):
            effects += self.play(ev.Executed(block, facts))
        return effects

    def prevote_block(self, round_: int = 0, block: Hash32 = BLOCK) -> list[fx.Effect]:
        """Receive, execute and so prevote a new block of this round."""
        effects = self.hear(proposal(round_, block))
        return [*effects, *self.hold(block, facts_of(round_))]

    def fire(self, kind: ev.TimerKind, round_: int = 0, after_ms: int = 0) -> list[fx.Effect]:
        self.now_ms += after_ms
        height = Height(0) if kind is ev.TimerKind.RESEND else HEIGHT
        return self.play(ev.TimerFired(ev.Timer(kind, height, round_)))
