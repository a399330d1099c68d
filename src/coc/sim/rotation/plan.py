"""What a seed makes of a run: validators, faults, liars, and the times of everything."""

from __future__ import annotations

from hashlib import blake2b
from random import Random

from coc.consensus.rotation.rules import NetworkRules
from coc.consensus.rotation.slots import RotationRules
from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32
from coc.primitives.validators import Validator, ValidatorSet
from coc.sim.bft_plan import Cut

LIES = ("twin", "backdate", "steal", "invalid")
"""What a liar does: runs twice on one key, goes back in time, takes others' slots, makes invalid blocks."""

GENESIS_TIME_S = 1_000
START_MS = GENESIS_TIME_S * 1_000


@frozen
class Plan:
    """One run. Probabilities are per message (`crashes`: per effect); times in milliseconds."""

    seed: int
    size: int
    liar: str = ""
    has_shared_signer: bool = False
    """Whether the last validator runs twice on one signer, whose mark is all that keeps it honest."""
    loses_seals: bool = False
    """Whether no announcement ever comes through, so that all is heard by status."""
    skews_ms: tuple[int, ...] = ()
    cuts: tuple[Cut, ...] = ()
    loss: float = 0.0
    duplication: float = 0.0
    spikes: float = 0.0
    crashes: float = 0.0
    wipes: float = 0.0
    """The part of crashes that take the write-ahead log with them."""
    delay_ms: int = 80
    healed_delay_ms: int = 80
    spike_ms: int = 2_500
    fault_ms: int = 60_000
    final_depth: int = 6

    def rules(self) -> NetworkRules:
        """The chain's parameters: slots of a second."""
        entries = tuple(
            Validator(address_at(index), bytes(64), bytes(64), 1, address_at(index))
            for index in range(self.size)
        )
        slots = RotationRules(GENESIS, GENESIS_TIME_S, 1, ValidatorSet(entries))
        return NetworkRules(slots, self.final_depth, 400)

    def is_cut(self, now_ms: int, sender: int, receiver: int) -> bool:
        """Whether the link is cut now."""
        return any(cut.separates(now_ms - START_MS, sender, receiver) for cut in self.cuts)

    def loss_of(self, _kind: str) -> float:
        """The probability that a message is lost, whatever it says."""
        return self.loss

    def downtime_ms(self, dice: Random) -> int:
        """How long a crashed node stays away."""
        return dice.randint(100, 8_000)


def plan_of(seed: int, lie: str | None = None) -> Plan:
    """The usual run of a seed: everything that can go wrong, a little of each."""
    dice = Random(seed)  # noqa: S311 - a run must be repeatable, not secret
    size = dice.choice((3, 4, 4, 4, 5, 7))
    chosen = dice.choice(("", "", *LIES)) if lie is None else lie
    if chosen and size < 4:
        size = 4
    cuts = tuple(_cut(dice, size) for _ in range(dice.randint(0, 2)))
    return Plan(
        seed,
        size,
        chosen,
        has_shared_signer=not chosen and dice.random() < 0.3,
        skews_ms=tuple(dice.randint(-400, 400) for _ in range(size + 1)),
        cuts=cuts,
        loss=dice.choice((0.0, 0.05, 0.2)),
        duplication=dice.choice((0.0, 0.1)),
        spikes=dice.choice((0.0, 0.02, 0.1)),
        crashes=dice.choice((0.0, 0.002, 0.01)),
        wipes=dice.choice((0.0, 0.3)),
        delay_ms=dice.choice((40, 200, 600)),
    )


def address_at(position: int) -> Address:
    """The validator id of a position."""
    return Address(blake2b(b"validator %d" % position, digest_size=20).digest())


GENESIS = Hash32(blake2b(b"genesis", digest_size=32).digest())


def _cut(dice: Random, size: int) -> Cut:
    begin = dice.randint(2_000, 40_000)
    group = frozenset(dice.sample(range(size), dice.randint(1, size - 1)))
    return Cut(begin, begin + dice.randint(1_000, 18_000), group, dice.random() < 0.2)
