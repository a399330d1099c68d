"""Faults of the whole node of turns, each put in by replacing one function, and the runs that find them.

Faults of the machine alone are in `tests/sim/rotation`. Here are those between the parts: what is written and
read again, what the pool is told, what is executed. `python -m tests.sim.rotation_full.mutants` writes the
table `MUTANTS.md` again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from coc._native import SimDisk
from coc.consensus.rotation import finality
from coc.consensus.rotation.evidence import DoubleSealBook
from coc.consensus.signing_mark import Marked
from coc.node.rotation import build, engine_side, peer_side
from coc.node.rotation.chain_door import RotationDoor
from coc.node.rotation.core import Core
from coc.node.validator.inputs import Logged
from coc.primitives.frozen import replace
from coc.primitives.types import Hash32
from coc.sim import life
from coc.sim.full.campaign import Failed
from coc.sim.full.plan import TWIN, Crash, Cut, FullDisk, Plan
from coc.sim.rotation_full import node
from coc.sim.rotation_full.campaign import run
from coc.sim.rotation_full.liars import WRONG_FEES
from coc.sim.rotation_full.plan import plan_of
from tests.planted_faults.hunt import Hunt, Mutant

# ── Runs ────────────────────────────────────────────────────────────────────────────────────────────────────


def stormy(seed: int) -> Plan:
    """Four validators on slow disks that lose power again and again, often together, early in a slot."""
    dice = Random(seed)
    crashes: list[Crash] = []
    for _ in range(7):
        moment = dice.randint(2, 17) * 1_000 + dice.randint(0, 700)
        together = range(4) if dice.random() < 0.4 else (dice.randrange(4),)
        crashes += [
            Crash(moment + dice.randint(0, 8), seat, dice.randint(1, 300), is_power_cut=True)
            for seat in together
        ]
    crashes.sort(key=lambda crash: crash.at_ms)
    return Plan(
        seed,
        (1, 1, 1, 1),
        fault_ms=18_000,
        loss=dice.choice((0.02, 0.1)),
        spikes=0.1,
        delay_ms=dice.choice((30, 200)),
        crashes=tuple(crashes),
        slow_disks=(0, 1, 2, 3),
    )


def parted(seed: int) -> Plan:
    """Four validators in two parts for a while, both of which get transactions, and then together again."""
    dice = Random(seed)
    begin = dice.randint(4_000, 7_000)
    away = frozenset(dice.sample(range(4), dice.randint(1, 2)))
    cut = Cut(begin, begin + dice.randint(5_000, 9_000), away, is_one_way=False)
    return Plan(seed, (1, 1, 1, 1), fault_ms=18_000, loss=0.01, cuts=(cut,), transactions_per_s=3.0)


def torn(seed: int) -> Plan:
    """One of four is cut off, is killed before it hears of the others again, and once more while it does."""
    dice = Random(seed)
    away = dice.randrange(4)
    end = 4_000 + dice.randint(7_000, 9_000)
    moments = (end - dice.randint(500, 2_000), end + dice.randint(300, 1_500))
    crashes = tuple(Crash(moment, away, dice.randint(1, 300), is_power_cut=False) for moment in moments)
    return Plan(
        seed,
        (1, 1, 1, 1),
        fault_ms=end + 3_000,
        cuts=(Cut(4_000, end, frozenset({away}), is_one_way=False),),
        crashes=crashes,
        transactions_per_s=6.0,
        slow_disks=(0, 1, 2, 3),
    )


def full(seed: int) -> Plan:
    """One of four validators whose disk is full for some seconds."""
    begin = 3_000 + 97 * seed
    return Plan(seed, (1, 1, 1, 1), fault_ms=10_000, full_disks=(FullDisk(begin, begin + 3_000, seed % 4),))


def lying(lie: str) -> Callable[[int], Plan]:
    """One of four lies, on links so slow that two machines of one validator know different things."""

    def plan(seed: int) -> Plan:
        liars = ((seed % 4, lie),)
        return Plan(
            seed, (1, 1, 1, 1), fault_ms=14_000, loss=0.01, delay_ms=200, transactions_per_s=4.0, liars=liars
        )

    return plan


# ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────────


def _move_unwritten(self: Any, tags: Any, senders: Any) -> Any:
    file, self._tags = self._tags, None
    try:
        return _SOUND_MOVE(self, tags, senders)
    finally:
        self._tags = file


def _never_synced(place: str) -> Callable[[int], SimDisk]:
    """Disks on which syncs of what lies there are forgotten."""

    def disk(seed: int) -> SimDisk:
        made = SimDisk(seed)
        made.pretend_syncs_of(place)
        return made

    return disk


def _pool_left(core: Any, now_ms: Any, event: Any) -> Any:
    del now_ms
    core.moving = None
    core.final_written = event.final_height
    return engine_side._move_on(core)


def _stand_as_if_nothing_was_left(self: Any, tags: Any, written_head: Any) -> None:
    del written_head
    _SOUND_STAND(self, tags, tags.head)


def _branch_from_below(door: Any, slots: Any, tags: Any) -> Any:
    """As if what lies a few blocks below the final one were final."""
    at = door.header(tags.final)
    for _ in range(3):
        at = door.header(at.parent_hash) if at.number else at
    return _SOUND_BRANCH(door, slots, replace(tags, final=Hash32(at.hash)))


def _taken_for_lost(core: Any, event: Any) -> Any:
    del core, event
    return []


def _not_written(self: Any, effect: Any) -> Any:
    del self
    return Logged(effect.sequence)


_SOUND_MOVE = RotationDoor.move
_SOUND_STAND = RotationDoor.stand_on
_SOUND_BRANCH = build._branch

FORGETFUL = Mutant(
    "records ignored at a start", "ROT-10", build, "_records", lambda remembered: (), "stormy", "signer"
)

MUTANTS = (
    Mutant("tags not written before the head moves", "ROT-23", RotationDoor, "move", _move_unwritten,
           "stormy", "tags"),
    Mutant("tags not synced", "ROT-23", life, "SimDisk", _never_synced("/node/tags"), "stormy"),
    Mutant("tags not read at a start", "ROT-23", node, "decode_tags", lambda payload: None, "stormy"),
    Mutant("final blocks taken back after a start", "ROT-23", build, "_branch", _branch_from_below,
           "stormy", "finality"),
    Mutant("peers told of what is not written down", "ROT-23", Core, "status",
           property(lambda core: core.engine.status), "usual", "told"),
    Mutant("final depth ignored", "ROT-21", finality, "is_deep", lambda *_: True, "usual", "depth"),
    Mutant("head moved without the pool", "FC-6", engine_side, "on_moved", _pool_left, "usual", "pool"),
    Mutant("a losing branch's transactions forgotten", "FC-2", RotationDoor, "_orphaned",
           lambda self, removed, included, head: [], "parted", "promise"),
    Mutant("a start forgets the branch that it left", "FC-2", RotationDoor, "stand_on",
           _stand_as_if_nothing_was_left, "torn", "promise"),
    Mutant("bodies accepted without execution", "ROT-17", RotationDoor, "execute",
           lambda self, body: True, "wrong fees", "validity"),
    Mutant("what could not be written not tried again", "ROT-17", engine_side, "on_record_failed",
           _taken_for_lost, "full", "liveness"),
    Mutant("blocks not served", "ROT-16", peer_side, "_on_get_block", lambda core, peer, block: [],
           "parted", "liveness"),
    FORGETFUL,
    Mutant("whatever is asked for is signed", "ROT-9", node, "judge_by_slot",
           lambda mark, request: Marked(request), "stormy", "double sign", beside=FORGETFUL),
    Mutant("signed before its record", "ROT-8", node.SimRotationNode, "_written", _not_written, "usual",
           "record first"),
    Mutant("evidence dropped", "ROT-25", DoubleSealBook, "add", lambda self, evidence: False, TWIN,
           "evidence"),
)  # fmt: skip

RUNS: Mapping[str, Callable[[int], Plan]] = {
    "usual": plan_of,
    "stormy": stormy,
    "parted": parted,
    "torn": torn,
    "full": full,
    TWIN: lying(TWIN),
    WRONG_FEES: lying(WRONG_FEES),
}

HUNT = Hunt(
    Path(__file__),
    "the whole node of turns",
    MUTANTS,
    lambda runs, seed: run(RUNS[runs](seed)),
    (Exception,),  # a node that falls over is found as well
    seeds_max=60,
    usual="usual",
    word_for=lambda found: str(found).partition(":")[0] if isinstance(found, Failed) else "defect",
)

if __name__ == "__main__":
    HUNT.write_table()
