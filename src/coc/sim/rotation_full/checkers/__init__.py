"""One invariant a file; `fresh` makes a set of them for a run."""

from __future__ import annotations

from coc.sim.rotation_full.checkers.accusations import NobodyHonestIsAccused
from coc.sim.rotation_full.checkers.agreement import OneFinalBlockAHeight
from coc.sim.rotation_full.checkers.depth import FinalBlocksAreDeep
from coc.sim.rotation_full.checkers.double_signing import NobodySignsTwice
from coc.sim.rotation_full.checkers.evidence import DoubleSignersAreNamed
from coc.sim.rotation_full.checkers.finality import NothingFinalIsTakenBack
from coc.sim.rotation_full.checkers.pools import PoolStandsOnTheHead, PromisesAreKept
from coc.sim.rotation_full.checkers.present import HeadsAreOfThePresent
from coc.sim.rotation_full.checkers.records_first import RecordsComeFirst
from coc.sim.rotation_full.checkers.states import OneStateABlock
from coc.sim.rotation_full.checkers.validity import WrittenBlocksKeepTheRules
from coc.sim.rotation_full.watching import Checker


def fresh() -> tuple[Checker, ...]:
    """The checkers of one run."""
    return (
        OneFinalBlockAHeight(),
        NothingFinalIsTakenBack(),
        FinalBlocksAreDeep(),
        NobodySignsTwice(),
        RecordsComeFirst(),
        WrittenBlocksKeepTheRules(),
        OneStateABlock(),
        PoolStandsOnTheHead(),
        PromisesAreKept(),
        HeadsAreOfThePresent(),
        NobodyHonestIsAccused(),
        DoubleSignersAreNamed(),
    )
