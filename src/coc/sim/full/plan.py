"""What a seed makes of a run: validators, their powers, faults and when they happen, and the load.

Probabilities are per message, times in virtual milliseconds. Every run that is to prove something has message
loss and crashes among its faults.
"""

from __future__ import annotations

import enum
from random import Random
from typing import Final

from coc.primitives.frozen import frozen, replace

TWIN: Final = "twin"
LIES: Final = (TWIN, "wrong root", "minting", "wrong time", "withholding")
"""What liars do, beside following the protocol otherwise; see `liars.py`."""

HEIGHTS_OF_A_RUN = 30
"""Blocks that a usual run comes to."""
FAULT_MS = 32_000
"""How long faults go on; then the network heals and progress is due."""
LARGE_SIZE = 7
"""Validators from which on a run is shorter: what it costs rises with the square of them."""
FAULT_MS_OF_LARGE = 16_000
WRONG_CLOCK_MS = 5_000
"""How far a clock may be off before the network takes its validator for faulty (`PARAMETERS`)."""


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


class Forgets(enum.Enum):
    """What of a node is gone when it comes back."""

    NOTHING = "nothing"
    RECORDS = "its records"
    """Write-ahead log and signer's mark: what it must not say twice."""
    CHAIN = "its chain"
    """Everything but the mark, which lies beside the key."""


@frozen
class Crash:
    """A node ends at a moment, by power cut or only as a process, and is back after `downtime_ms`."""

    at_ms: int
    node: int
    downtime_ms: int
    is_power_cut: bool
    forgets: Forgets = Forgets.NOTHING


@frozen
class SetChange:
    """A transaction with which a validator leaves, or one more joins; it takes effect periods later."""

    at_ms: int
    node: int
    """Its seat; one that joins has the seat after all others."""
    joins: bool


@frozen
class FullDisk:
    """A node's disk takes no more bytes between two moments."""

    begin_ms: int
    end_ms: int
    node: int


@frozen
class Plan:
    """One run."""

    seed: int
    powers: tuple[int, ...]
    fault_ms: int = FAULT_MS
    loss: float = 0.0
    duplication: float = 0.0
    spikes: float = 0.0
    delay_ms: int = 30
    spike_ms: int = 1_200
    skews_ms: tuple[int, ...] = ()
    cuts: tuple[Cut, ...] = ()
    crashes: tuple[Crash, ...] = ()
    full_disks: tuple[FullDisk, ...] = ()
    transactions_per_s: float = 1.0
    liars: tuple[tuple[int, str], ...] = ()
    set_changes: tuple[SetChange, ...] = ()
    interval_s: int = 1
    """Seconds from block to block."""
    slow_disks: tuple[int, ...] = ()
    """Nodes whose every fsync takes up to a quarter of a second."""

    @property
    def size(self) -> int:
        """How many validators."""
        return len(self.powers)

    @property
    def seats(self) -> int:
        """How many validators there are at any time: those of genesis, and those that join."""
        return self.size + sum(change.joins for change in self.set_changes)

    def skew_of(self, node: int) -> int:
        """How far a node's clock is off."""
        return self.skews_ms[node] if node < len(self.skews_ms) else 0

    def is_cut(self, now_ms: int, sender: int, receiver: int) -> bool:
        """Whether a link is cut now."""
        for cut in self.cuts:  # noqa: SIM110 - asked for every message, and a generator costs as much again
            if cut.separates(now_ms, sender, receiver):
                return True
        return False


def calm_plan(seed: int, size: int = 4, heights: int = HEIGHTS_OF_A_RUN) -> Plan:
    """No faults: what the simulator's speed is measured with."""
    return Plan(seed, (1,) * size, fault_ms=heights * 1_000, transactions_per_s=0.0)


def plan_of(seed: int) -> Plan:
    """The usual run of a seed: seven in ten with four validators; loss and crashes in each."""
    dice = Random(seed)  # noqa: S311 - a run must be repeatable, not secret
    size = 4 if dice.random() < 0.75 else dice.randint(5, 13)
    powers = (1,) * size if dice.random() < 0.6 else tuple(dice.randint(1, 5) for _ in range(size))
    fault_ms = FAULT_MS if size < LARGE_SIZE else FAULT_MS_OF_LARGE
    plan = Plan(
        seed,
        powers,
        fault_ms=fault_ms,
        loss=dice.choice((0.01, 0.05, 0.15)),
        duplication=dice.choice((0.0, 0.05)),
        spikes=dice.choice((0.0, 0.02, 0.15)),
        skews_ms=_skews(dice, size),
        cuts=_cuts(dice, size, fault_ms),
        crashes=_crashes(dice, size, fault_ms),
        transactions_per_s=dice.choice((0.5, 2.0, 5.0)),
    )
    plan = replace(plan, liars=liars_of(dice, powers))
    if plan.liars and 3 * _power_of_wrong_clocks(plan) >= sum(powers) - _power_of_liars(plan):
        # Once the liars are convicted, whose clock is wrong would be a third of those who are left.
        plan = replace(plan, skews_ms=())
    if dice.random() < 0.2:
        plan = replace(plan, slow_disks=(dice.randrange(size),))
    if dice.random() < 0.2:
        begin = dice.randint(1_000, fault_ms - 2_000)
        plan = replace(plan, full_disks=(FullDisk(begin, begin + 4_000, dice.randrange(size)),))
    return _with_one_more(dice, plan)


def _power_of_wrong_clocks(plan: Plan) -> int:
    return sum(power for node, power in enumerate(plan.powers) if abs(plan.skew_of(node)) > WRONG_CLOCK_MS)


def _power_of_liars(plan: Plan) -> int:
    return sum(plan.powers[node] for node, _ in plan.liars)


def _with_one_more(dice: Random, plan: Plan) -> Plan:
    """In six runs of ten a change of the set, early enough to take effect, or a crash that takes more.

    Nobody leaves or forgets where others lie or have a wrong clock: all together they would be a third.
    """
    is_well_manned = not plan.liars and not plan.skews_ms
    moment = dice.randint(500, plan.fault_ms // 4)
    match dice.randint(0, 9):
        case 0 | 1:
            return replace(plan, set_changes=(SetChange(moment, plan.size, joins=True),))
        case 2 | 3 if is_well_manned:
            return replace(plan, set_changes=(SetChange(moment, dice.randrange(plan.size), joins=False),))
        case 4 | 5 if is_well_manned:
            return replace(plan, crashes=_forgetting(dice, plan))
        case _:
            return plan


def _forgetting(dice: Random, plan: Plan) -> tuple[Crash, ...]:
    """One crash takes more than the process; only of a node without which there is a quorum."""
    chosen = dice.randrange(len(plan.crashes))
    crash = plan.crashes[chosen]
    if 3 * plan.powers[crash.node] >= sum(plan.powers):
        return plan.crashes
    forgets = dice.choice((Forgets.RECORDS, Forgets.CHAIN))
    forgetting = replace(crash, is_power_cut=True, forgets=forgets)
    return (*plan.crashes[:chosen], forgetting, *plan.crashes[chosen + 1 :])


def _skews(dice: Random, size: int) -> tuple[int, ...]:
    """All clocks right in half of the runs; in the others one validator's up to a minute wrong."""
    if dice.random() < 0.5:
        return ()
    skews = [dice.randint(-400, 400) for _ in range(size)]
    skews[dice.randrange(size)] = dice.randint(-60_000, 60_000)
    return tuple(skews)


def _cuts(dice: Random, size: int, span_ms: int) -> tuple[Cut, ...]:
    cuts = []
    for _ in range(dice.randint(0, 3)):
        begin = dice.randint(0, span_ms)
        group = frozenset(dice.sample(range(size), dice.randint(1, size // 2)))
        cuts.append(Cut(begin, begin + dice.randint(200, 5_000), group, dice.random() < 0.4))
    return tuple(cuts)


def _crashes(dice: Random, size: int, span_ms: int) -> tuple[Crash, ...]:
    """A few single crashes, and in every third run all nodes at once."""
    crashes = [single_crash(dice, size, (300, span_ms)) for _ in range(dice.randint(1, 5))]
    if dice.random() < 0.34:
        crashes += crash_of_all(dice, size, (1_000, span_ms))
    return tuple(sorted(crashes, key=lambda crash: crash.at_ms))


def single_crash(dice: Random, size: int, window_ms: tuple[int, int]) -> Crash:
    """Of a node drawn by lot, which is away for a moment or for seconds."""
    return Crash(
        dice.randint(*window_ms),
        dice.randrange(size),
        dice.choice((1, 60, 700, dice.randint(1, 6_000))),
        dice.random() < 0.6,
    )


def crash_of_all(dice: Random, size: int, window_ms: tuple[int, int]) -> list[Crash]:
    """All nodes end within an instant, and each comes back by itself."""
    moment = dice.randint(*window_ms)
    is_power_cut = dice.random() < 0.7
    return [
        Crash(moment + dice.randint(0, 20), node, dice.randint(1, 900), is_power_cut) for node in range(size)
    ]


def liars_of(dice: Random, powers: tuple[int, ...]) -> tuple[tuple[int, str], ...]:
    """Liars with less than a third of the power together; none in half of the runs."""
    if dice.random() < 0.5:
        return ()
    chosen: list[tuple[int, str]] = []
    power = 0
    for position in dice.sample(range(len(powers)), len(powers)):
        if 3 * (power + powers[position]) < sum(powers):
            power += powers[position]
            chosen.append((position, dice.choice(LIES)))
    return tuple(sorted(chosen))
