"""What a seed makes of a run of validators that take turns; the faults are those of `coc.sim.full.plan`."""

from __future__ import annotations

from random import Random

from coc.primitives.frozen import replace
from coc.sim.full.plan import TWIN, Crash, Cut, Forgets, FullDisk, Plan, crash_of_all, single_crash
from coc.sim.rotation_full.liars import LIES

FINAL_DEPTH_BLOCKS = 6
"""Blocks above a final one, in every run: what genesis says where nothing is chosen."""
SLOTS_OF_A_RUN = 24
"""Slots of a second for which faults go on."""
CUT_MS_MAX = 8_000
SKEW_MS_MAX = 400
"""Clocks of a second's slots that nodes of one network have: further off a validator only loses its turns."""


def calm_plan(seed: int, size: int = 4, slots: int = SLOTS_OF_A_RUN) -> Plan:
    """No faults, and no clients."""
    return Plan(seed, (1,) * size, fault_ms=slots * 1_000, transactions_per_s=0.0)


def plan_of(seed: int, lie: str | None = None) -> Plan:
    """The usual run of a seed: everything that can go wrong, a little of each; `lie` if one is named."""
    dice = Random(seed)  # noqa: S311 - a run must be repeatable, not secret
    size = dice.choice((3, 4, 4, 4, 4, 5, 7))
    chosen = dice.choice(("", "", "", *LIES)) if lie is None else lie
    if chosen and size == 3:
        size = 4  # of three all must sign, so none may lie
    fault_ms = SLOTS_OF_A_RUN * 1_000
    plan = Plan(
        seed,
        (1,) * size,
        fault_ms=fault_ms,
        loss=dice.choice((0.0, 0.02, 0.1)),
        duplication=dice.choice((0.0, 0.1)),
        spikes=dice.choice((0.0, 0.02, 0.1)),
        delay_ms=dice.choice((30, 30, 200)),
        skews_ms=tuple(dice.randint(-SKEW_MS_MAX, SKEW_MS_MAX) for _ in range(size + 1)),
        cuts=tuple(_cut(dice, size + (chosen == TWIN), fault_ms) for _ in range(dice.randint(0, 2))),
        crashes=_crashes(dice, size, fault_ms),
        transactions_per_s=dice.choice((1.0, 3.0)),
        liars=((dice.randrange(size), chosen),) if chosen else (),
    )
    if dice.random() < 0.3:
        plan = replace(plan, slow_disks=(dice.randrange(size),))
    if dice.random() < 0.2:
        begin = dice.randint(1_000, fault_ms - 2_000)
        plan = replace(plan, full_disks=(FullDisk(begin, begin + 4_000, dice.randrange(size)),))
    return plan


def _cut(dice: Random, size: int, span_ms: int) -> Cut:
    begin = dice.randint(1_000, span_ms - 2_000)
    group = frozenset(dice.sample(range(size), dice.randint(1, size // 2)))
    return Cut(begin, begin + dice.randint(1_000, CUT_MS_MAX), group, dice.random() < 0.2)


def _crashes(dice: Random, size: int, span_ms: int) -> tuple[Crash, ...]:
    """A few single crashes, one of which may take more than the process; in some runs all nodes at once."""
    window_ms = (2_500, span_ms)
    crashes = [single_crash(dice, size, window_ms) for _ in range(dice.randint(1, 4))]
    if dice.random() < 0.3:
        forgets = dice.choice((Forgets.RECORDS, Forgets.CHAIN))
        crashes[0] = replace(crashes[0], is_power_cut=True, forgets=forgets)
    if dice.random() < 0.25:
        crashes += crash_of_all(dice, size, window_ms)
    return tuple(sorted(crashes, key=lambda crash: crash.at_ms))
