"""What the measurements that compare nodes have in common on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from nodes import BenchFailed
from side_by_side import Comparison


def options_of(text: str | None, nodes: str) -> argparse.ArgumentParser:
    """Which nodes, how often, and where every sample goes; the first line of `text` says what for."""
    parser = argparse.ArgumentParser(description=(text or "").splitlines()[0])
    parser.add_argument("--nodes", default=nodes, help="ratios are to the last one")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--save", type=Path, help="write every sample as JSON")
    return parser


def show(measure: Callable[[], Comparison], save: Path | None) -> int:
    """Measure and print the table. Returns the exit code: 1 where it could not be done, and says why."""
    try:
        result = measure()
    except BenchFailed as failure:
        print(f"{Path(sys.argv[0]).stem}: {failure}", file=sys.stderr)
        return 1
    print(result.table())
    if save is not None:
        result.save(save)
    return 0
