"""Four validators on this machine, beside CometBFT: intervals, load, a dead one, all of them killed.

    bench/validators.py [--nodes coc,cometbft] [--only PART,…] [--runs 5] [--heights 40] [--count 20000]
                        [--save FILE]

Parts: intervals, rate, saturated, dead, killed, snapshot, simulated. Every part of every run starts a fresh
network, data on disk, 1 s blocks: `coc up --nodes 4`, or four processes of CometBFT with its kvstore, which
is built once with Go. Ours executes transfers and proves the state, the kvstore keeps keys: 250 bytes a
transaction at a rate, 110 at full speed, as a transfer has. At a rate every request carries what is due;
latency counts from just before a request is written until the first node shows its block as final. CPU is
that of all nodes; full speed is 50 a request, to all nodes.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import cometbft
import generator
import simulated_network
import snapshot_joining
import validator_figures
from command_line import options_of, show
from nodes import BenchFailed, machine, require
from side_by_side import Comparison, Figures, compare
from validator_network import Coc, System

PARTS: dict[str, validator_figures.Part] = {
    "intervals": validator_figures.intervals,
    "rate": validator_figures.rate,
    "saturated": validator_figures.saturated,
    "dead": validator_figures.dead,
    "killed": validator_figures.killed,
}
SNAPSHOT = "snapshot"
SIMULATED = "simulated"
ALL_PARTS = (*PARTS, SNAPSHOT, SIMULATED)
"""The last two are of ours only."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Which parts, and how much of each."""

    parts: Sequence[str]
    heights: int
    count: int


class Measurement:
    """Measures one system at a time; runs of the simulator take the next seed each."""

    def __init__(self, extent: Extent) -> None:
        """Nothing is started."""
        self._extent = extent
        self._seeds = count()

    def measure(self, name: str) -> Figures:
        """All figures of one run of a system."""
        system: System = Coc() if name == "coc" else cometbft.Comet()
        figures: dict[str, float] = {}
        for part in self._extent.parts:
            if part in PARTS:
                print(f"  {name}: {part}", file=sys.stderr)
                figures |= self._part(part, system)
            elif name == "coc":
                print(f"  {name}: {part}", file=sys.stderr)
                figures |= self._ours(part)
        return figures

    def _ours(self, part: str) -> Figures:
        if part == SIMULATED:
            return simulated_network.figures(next(self._seeds))
        with tempfile.TemporaryDirectory(prefix="coc-bench-", ignore_cleanup_errors=True) as folder:
            return snapshot_joining.figures(Path(folder))

    def _part(self, part: str, system: System) -> Figures:
        with tempfile.TemporaryDirectory(prefix="coc-bench-", ignore_cleanup_errors=True) as folder:
            extent = self._extent
            return PARTS[part](
                validator_figures.Task(system, Path(folder), extent.heights, extent.count)
            )  # fmt: skip


def comparison(names: Sequence[str], runs: int, extent: Extent) -> Comparison:
    """The whole measurement; ratios are to the last system. Raises BenchFailed."""
    require(["coc"])
    generator.build()
    return compare("Four validators", machine(), names, runs, Measurement(extent).measure)


def systems(text: str) -> list[str]:
    """Those asked for and there; what is left out is said."""
    names = text.split(",")
    unknown = set(names) - {"coc", "cometbft"}
    if unknown:
        raise BenchFailed(f"--nodes {', '.join(sorted(unknown))}: known are coc and cometbft")
    reason = cometbft.missing() if "cometbft" in names else None
    if reason is not None:
        print(reason, file=sys.stderr)
        names.remove("cometbft")
    if not names:
        raise BenchFailed("nothing is left to measure")
    return names


def parts(text: str | None) -> Sequence[str]:
    """The parts that were asked for."""
    chosen = ALL_PARTS if text is None else tuple(text.split(","))
    unknown = set(chosen) - set(ALL_PARTS)
    if unknown:
        raise BenchFailed(f"--only {', '.join(sorted(unknown))}: the parts are {', '.join(ALL_PARTS)}")
    return chosen


def main() -> int:
    parser = options_of(__doc__, nodes="coc,cometbft")
    parser.add_argument("--only", help=f"some of the parts: {', '.join(ALL_PARTS)}")
    parser.add_argument("--heights", type=int, default=40, help="blocks of each measurement of intervals")
    parser.add_argument("--count", type=int, default=20_000, help="transactions at full speed")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the networks end, too

    def measure() -> Comparison:
        extent = Extent(parts(options.only), options.heights, options.count)
        return comparison(systems(options.nodes), options.runs, extent)

    return show(measure, options.save)


if __name__ == "__main__":
    sys.exit(main())
