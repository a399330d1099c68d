"""Import of prepared blocks into a chain on disk, against the same transactions in bare revm.

    bench/import_blocks.py [--cases transfers:10000,erc20:10000] [--runs 5] [--blocks 30] [--gas 60000000]

A case is what the blocks hold and how many accounts the state has. Ours decodes, recovers senders,
executes, checks every root, and has log, state and index durable at the end. The yardstick, revm on hash
maps, recovers senders on the same cores and executes. The two take turns, each in a fresh process, on a
fresh copy of the prepared chain.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nodes import KIB_PER_MIB, BenchFailed, machine

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "coc-bench"
CASES = "transfers:10000,transfers:100000,transfers:1000000,erc20:10000,compute:10000"
HEADS = (
    "blocks of", "accounts", "transactions/s", "Mgas/s", "bare revm/s", "ratio", "of the fastest",
    "of CPU time", "log B/tx", "state B/tx", "index B/tx", "peak MiB", "start s",
)  # fmt: skip

Figures = dict[str, float]


@dataclass(slots=True)
class Case:
    """One workload, and what was measured of it."""

    kind: str
    accounts: int
    ours: list[Figures] = field(default_factory=list)
    bare: list[Figures] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> Case:
        """A case as the command line names it."""
        kind, _, accounts = text.partition(":")
        if not accounts.isdecimal():
            raise BenchFailed(f"{text!r} is no case; write one as transfers:10000")
        return cls(kind, int(accounts))

    def row(self) -> list[str]:
        """The medians, in the order of HEADS."""
        ours, bare = _medians(self.ours), _medians(self.bare)
        count = bare["transactions"]
        written = ("log_bytes", "node_bytes", "index_written_bytes")
        return [
            self.kind,
            f"{self.accounts:,}",
            f"{count / ours['seconds']:,.0f}",
            f"{bare['gas'] / ours['seconds'] / 1e6:,.0f}",
            f"{count / bare['seconds']:,.0f}",
            f"{bare['seconds'] / ours['seconds']:.2f}",
            f"{_fastest(self.bare) / _fastest(self.ours):.2f}",
            f"{bare['processor_seconds'] / ours['processor_seconds']:.2f}",
            *(f"{ours[name] / count:,.0f}" for name in written),
            f"{ours['peak_memory_bytes'] / KIB_PER_MIB / KIB_PER_MIB:,.0f}",
            f"{ours['open_seconds']:.3f}",
        ]


def build() -> None:
    """Builds the measuring program as users' builds are built. Raises BenchFailed."""
    command = ["cargo", "build", "--quiet", "--locked", "--release", "--package", "coc-bench"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise BenchFailed("the measuring program does not build")


def measure(case: Case, runs: int, blocks: int, gas: int) -> None:
    """Prepares the case and measures both sides in turn, in changing order."""
    with _folder() as folder:
        prepared = folder / "prepared"
        _run("prepare", case.kind, case.accounts, blocks, gas, prepared)
        for run in range(runs):
            print(f"{case.kind}, {case.accounts:,} accounts: run {run + 1} of {runs}", file=sys.stderr)
            for side in ("bare", "ours") if run % 2 == 0 else ("ours", "bare"):
                if side == "bare":
                    case.bare.append(_run("bare", prepared))
                else:
                    case.ours.append(_import(prepared, folder / "data"))


def table(cases: Sequence[Case], runs: int) -> str:
    """The Markdown table."""
    lines = ["### Import of prepared blocks", "", f"{machine()}; medians of {runs}.", ""]
    rows = [list(HEADS), ["---", *("--:" for _ in HEADS[1:])], *(case.row() for case in cases)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _import(prepared: Path, data: Path) -> Figures:
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(prepared / "base", data)
    os.sync()
    return _run("import", prepared, data)


def _run(*arguments: object) -> Figures:
    command = [str(PROGRAM), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailed(f"{' '.join(command)}: {done.stderr.strip()}")
    answer = json.loads(done.stdout or "{}")
    return {name: value for name, value in answer.items() if isinstance(value, int | float)}


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="coc-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _medians(samples: Sequence[Figures]) -> Figures:
    return {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}


def _fastest(samples: Sequence[Figures]) -> float:
    """Seconds of the run that other programs on the machine disturbed least."""
    return min(sample["seconds"] for sample in samples)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", default=CASES)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=30)
    parser.add_argument("--gas", type=int, default=60_000_000, help="of each block")
    parser.add_argument("--save", type=Path, help="write every sample as JSON")
    options = parser.parse_args()
    try:
        cases = [Case.parse(text) for text in options.cases.split(",")]
        build()
        for case in cases:
            measure(case, options.runs, options.blocks, options.gas)
    except BenchFailed as failure:
        print(f"import_blocks: {failure}", file=sys.stderr)
        return 1
    print(table(cases, options.runs))
    if options.save:
        options.save.write_text(json.dumps([asdict(case) for case in cases], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
