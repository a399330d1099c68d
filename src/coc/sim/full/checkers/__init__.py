"""One invariant a file; `ALL` makes a fresh set of them for a run."""

from __future__ import annotations

from coc.sim.full.checkers.accusations import NobodyHonestIsAccused
from coc.sim.full.checkers.agreement import OneBlockAHeight
from coc.sim.full.checkers.certificates import CertificatesProve
from coc.sim.full.checkers.convictions import DoubleSignersAreConvicted
from coc.sim.full.checkers.divergence import NobodyBelievesToDiffer
from coc.sim.full.checkers.double_signing import NobodySignsTwice
from coc.sim.full.checkers.finality import NothingFinalIsLost
from coc.sim.full.checkers.records_first import RecordsComeFirst
from coc.sim.full.checkers.sets import SetsFollowTheRegistry
from coc.sim.full.checkers.signer import SignerIsNeverAskedTwice
from coc.sim.full.checkers.supply import NothingIsMinted
from coc.sim.full.checkers.time import TimeIsNearTheClocks
from coc.sim.full.watching import Checker


def fresh(period_blocks: int) -> tuple[Checker, ...]:
    """The checkers of one run, on a chain with set periods of this length."""
    return (
        OneBlockAHeight(),
        NothingFinalIsLost(),
        NobodySignsTwice(),
        RecordsComeFirst(),
        SignerIsNeverAskedTwice(),
        CertificatesProve(),
        SetsFollowTheRegistry(period_blocks),
        NothingIsMinted(),
        TimeIsNearTheClocks(),
        NobodyHonestIsAccused(),
        NobodyBelievesToDiffer(),
        DoubleSignersAreConvicted(),
    )
