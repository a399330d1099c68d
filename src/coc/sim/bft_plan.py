"""What a seed makes of a run: validators, faults, liars, and the times of everything."""

from __future__ import annotations

from hashlib import blake2b
from random import Random

from coc.consensus.bft.rules import BftRules, Timeout
from coc.primitives.frozen import frozen, replace
from coc.primitives.types import Address, Hash32
from coc.primitives.validators import Validator, ValidatorSet

LIES = ("equivocate", "withhold", "invalid", "stale", "origin", "tamper", "forge", "relabel", "nay")
"""What liars do, beside following the protocol otherwise."""


@frozen
class Cut:
    """A partition in time: links between the groups carry nothing, in one direction or in both."""

    begin_ms: int
    end_ms: int
    group: frozenset[int]
    is_one_way: bool

    def separates(self, now_ms: int, sender: int, receiver: int) -> bool:
        """Whether this link is cut now."""
        if not self.begin_ms <= now_ms < self.end_ms or (sender in self.group) == (receiver in self.group):
            return False
        return sender in self.group or not self.is_one_way


@frozen
class Plan:
    """One run. Probabilities are per message (`crashes`: per effect); times in milliseconds."""

    seed: int
    size: int
    powers: tuple[int, ...]
    liars: tuple[tuple[int, str], ...] = ()
    skews_ms: tuple[int, ...] = ()
    cuts: tuple[Cut, ...] = ()
    blackouts_ms: tuple[int, ...] = ()
    loss: float = 0.0
    duplication: float = 0.0
    spikes: float = 0.0
    crashes: float = 0.0
    delay_ms: int = 40
    spike_ms: int = 1_500
    fault_ms: int = 12_000
    resend_ms: int = 250
    vote_ms: int = 150
    is_encoded: bool = False
    dislikes: tuple[tuple[str, float], ...] = ()
    """Kinds of messages (class names) that are lost with a probability of their own."""

    def rules(self) -> BftRules:
        """The chain's parameters: short, so that a run has many rounds."""
        vote = Timeout(self.vote_ms, 50, 1_000)
        propose = Timeout(300, 50, 1_500)
        return BftRules(_name(b"genesis"), 300, propose, vote, vote, self.resend_ms, 150_000)

    def validators(self) -> ValidatorSet:
        """The set: names by position."""
        return ValidatorSet(
            tuple(
                Validator(address_at(index), bytes(64), bytes(64), power, address_at(index))
                for index, power in enumerate(self.powers)
            )
        )

    def lie_of(self, position: int) -> str:
        """What the node at a position lies about, empty for an honest one."""
        return dict(self.liars).get(position, "")

    def is_cut(self, now_ms: int, sender: int, receiver: int) -> bool:
        """Whether the link is cut now."""
        return any(cut.separates(now_ms, sender, receiver) for cut in self.cuts)

    @property
    def healed_delay_ms(self) -> int:
        """Delays stay as they are when all else is well again."""
        return self.delay_ms

    def loss_of(self, kind: str) -> float:
        """The probability that a message of this kind is lost."""
        return dict(self.dislikes).get(kind, self.loss)

    def downtime_ms(self, dice: Random) -> int:
        """How long a crashed node stays away."""
        return dice.choice((1, 50, 400, dice.randint(1, 4_000)))


def address_at(position: int) -> Address:
    """The address of a simulated validator."""
    return Address(_name(b"validator %d" % position)[:20])


def plan_of(seed: int) -> Plan:
    """The usual run of a seed: seven in ten with four validators; loss and crashes in each."""
    dice = Random(seed)  # noqa: S311 - a run must be repeatable, not secret
    size = 4 if dice.random() < 0.7 else dice.randint(5, 13)
    powers = (1,) * size if dice.random() < 0.6 else tuple(dice.randint(1, 9) for _ in range(size))
    plan = Plan(
        seed,
        size,
        powers,
        _liars(dice, powers, LIES),
        skews_ms=_skews(dice, size),
        cuts=_cuts(dice, size, 12_000),
        blackouts_ms=_blackouts(dice, 12_000),
        loss=dice.choice((0.02, 0.1, 0.25)),
        duplication=dice.choice((0.0, 0.1)),
        spikes=dice.choice((0.0, 0.05, 0.3)),
        crashes=dice.choice((0.0005, 0.002)),
        resend_ms=dice.choice((150, 250, 600)),
        vote_ms=dice.choice((60, 150, 300)),
        is_encoded=seed % 8 == 0,
    )
    return plan if size < 8 else replace(plan, fault_ms=6_000)


def hostile_plan(seed: int, lie: str = "") -> Plan:
    """Four equal validators on a very bad network with impatient timers, one of them perhaps a liar."""
    dice = Random(seed)  # noqa: S311 - a run must be repeatable, not secret
    return Plan(
        seed,
        4,
        (1, 1, 1, 1),
        ((dice.randrange(4), lie),) if lie else (),
        skews_ms=(0,) * 4,
        cuts=_cuts(dice, 4, 20_000),
        blackouts_ms=_blackouts(dice, 20_000),
        loss=dice.choice((0.2, 0.35, 0.45)),
        spikes=0.2,
        crashes=dice.choice((0.0, 0.003)),
        resend_ms=dice.choice((400, 1_200)),
        vote_ms=dice.choice((20, 60)),
        fault_ms=20_000,
    )


def split_plan(seed: int, lie: str = "") -> Plan:
    """Votes get through now and then, talk about them rarely: some decide, the others go on unaware."""
    dice = Random(seed)  # noqa: S311 - a run must be repeatable, not secret
    size = dice.choice((4, 4, 5, 7)) if not lie else 4
    dislikes = (("CommitCertificate", 0.9), ("Status", 0.5))
    return Plan(
        seed,
        size,
        (1,) * size,
        ((dice.randrange(size), lie),) if lie else (),
        skews_ms=(0,) * size,
        loss=0.02,
        spikes=dice.choice((0.2, 0.35, 0.5)),
        delay_ms=5,
        spike_ms=4_000,
        resend_ms=800,
        vote_ms=20,
        fault_ms=20_000,
        dislikes=dislikes,
    )


def astray_plan(seed: int, lie: str = "nay") -> Plan:
    """One of four is cut off for fifty seconds, while a liar keeps the other two from deciding."""
    dice = Random(seed)  # noqa: S311 - a run must be repeatable, not secret
    liar, lost = dice.sample(range(4), 2)
    return Plan(
        seed,
        4,
        (1, 1, 1, 1),
        ((liar, lie),),
        skews_ms=(0,) * 4,
        cuts=(Cut(0, 50_000, frozenset({lost}), is_one_way=False),),
        vote_ms=20,
        fault_ms=50_000,
    )


def _liars(dice: Random, powers: tuple[int, ...], lies: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Liars with less than a third of the power; none in every fourth run."""
    if dice.random() < 0.25:
        return ()
    chosen: list[tuple[int, str]] = []
    power = 0
    for position in dice.sample(range(len(powers)), len(powers)):
        if 3 * (power + powers[position]) < sum(powers):
            power += powers[position]
            chosen.append((position, dice.choice(lies)))
    return tuple(sorted(chosen))


def _skews(dice: Random, size: int) -> tuple[int, ...]:
    """All clocks right in half of the runs, up to a minute wrong in the others."""
    if dice.random() < 0.5:
        return (0,) * size
    return tuple(dice.randint(-60_000, 60_000) for _ in range(size))


def _cuts(dice: Random, size: int, span_ms: int) -> tuple[Cut, ...]:
    cuts = []
    for _ in range(dice.randint(0, 5)):
        begin = dice.randint(0, span_ms)
        group = frozenset(dice.sample(range(size), dice.randint(1, size // 2)))
        cuts.append(Cut(begin, begin + dice.randint(200, 4_000), group, dice.random() < 0.4))
    return tuple(cuts)


def _blackouts(dice: Random, span_ms: int) -> tuple[int, ...]:
    """Moments at which all honest nodes are killed together, in every second run."""
    return tuple(dice.randint(500, span_ms) for _ in range(dice.choice((0, 0, 1, 3))))


def _name(text: bytes) -> Hash32:
    return Hash32(blake2b(text, digest_size=32).digest())
