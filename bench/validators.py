"""Four validators on this machine: block intervals, load, a dead one, all of them killed.

    bench/validators.py [--runs 5] [--heights 40] [--count 20000] [--save FILE]

Each run starts fresh networks with `coc up --nodes 4`, data on disk, 1 s blocks. Intervals are those at which
node 1 shows new heads. Under load a hundred accounts send ether to node 1 as fast as it takes it; processor
time is that of all four nodes. At the end all are killed −9 together under load, started again, and the time
to the next block counts from the start of the command.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import generator
from nodes import ACCOUNTS, COC, GAS_LIMIT, BenchFailed, RunningNode, machine
from side_by_side import Figures, compare

VALIDATORS = 4
FIRST_PORT = 19_545
START_SECONDS_MAX = 60.0
POLL_SECONDS = 0.004
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Net:
    """A running network."""

    nodes: tuple[RunningNode, ...]
    began: float

    def height(self) -> int:
        """What node 1 shows as its head."""
        return int(self.nodes[0].rpc("eth_blockNumber"), 16)

    def processor_seconds(self) -> float:
        """Of all nodes so far."""
        return sum(_processor_seconds(node.pid) for node in self.nodes)


@contextmanager
def network(folder: Path) -> Iterator[Net]:
    """Four validators on the data in a folder."""
    command = [
        str(COC), "up", "--nodes", str(VALIDATORS), "--json", "--port", str(FIRST_PORT),
        "--data", str(folder), "--accounts", str(ACCOUNTS), "--gas-limit", str(GAS_LIMIT),
    ]  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline() for _ in range(VALIDATORS)] if process.stdout else []
        if not all(lines):
            raise BenchFailed("`coc up --nodes 4` did not start")
        facts = sorted((json.loads(line) for line in lines), key=lambda each: each["node"])
        nodes = tuple(
            RunningNode(f"node {each['node']}", int(each["rpc"].rsplit(":", 1)[1]), each["pid"], 0.0)
            for each in facts
        )
        yield Net(nodes, began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def measure(_name: str, load: Path, heights: int) -> Figures:
    """All figures of one run."""
    folder = Path(tempfile.mkdtemp(prefix="coc-bench-"))
    figures: dict[str, float] = {}
    try:
        with network(folder) as net:
            _await_height(net, 1)
            figures["start to first block, s"] = time.monotonic() - net.began
            figures |= _intervals("idle", _arrivals(net, heights))
            figures["memory idle, MiB a node"] = max(node.rss_mib() for node in net.nodes)
            figures |= _loaded(net, load)
            os.kill(net.nodes[-1].pid, signal.SIGKILL)
            figures |= _intervals("one of four dead", _arrivals(net, heights))
        figures["all killed: start to next block, s"] = _after_killing_all(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return figures


def _loaded(net: Net, load: Path) -> dict[str, float]:
    before = net.processor_seconds()
    report = generator.send(net.nodes[0], load, 50)
    spent = net.processor_seconds() - before
    return {
        "transfers in batches of 50: included/s": report["included_per_s"],
        "CPU of all four, ms/tx": 1_000 * spent / report["included"],
    }


def _after_killing_all(folder: Path) -> float:
    with network(folder) as net:
        _await_height(net, net.height() + 2)
        for node in net.nodes:
            os.kill(node.pid, signal.SIGKILL)
    with network(folder) as net:
        head = net.height()
        _await_height(net, head + 1)
        return time.monotonic() - net.began


def _arrivals(net: Net, count: int) -> list[float]:
    """When node 1 showed each of the next heads."""
    head = net.height()
    seen: list[float] = []
    pause = threading.Event()
    while len(seen) <= count:
        height = net.height()
        if height > head:
            seen += [time.monotonic()] * (height - head)
            head = height
        pause.wait(POLL_SECONDS)
    return seen


def _intervals(name: str, arrivals: list[float]) -> dict[str, float]:
    gaps = sorted(later - earlier for earlier, later in pairwise(arrivals))
    return {
        f"{name}: interval p50, s": statistics.median(gaps),
        f"{name}: interval p99, s": gaps[min(len(gaps) - 1, int(len(gaps) * 0.99))],
        f"{name}: mean interval, s": statistics.fmean(gaps),
    }


def _await_height(net: Net, height: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    pause = threading.Event()
    while net.height() < height:
        if time.monotonic() > deadline:
            raise BenchFailed(f"no block {height} in {START_SECONDS_MAX:.0f} s")
        pause.wait(POLL_SECONDS)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--heights", type=int, default=40)
    parser.add_argument("--count", type=int, default=20_000, help="transactions of the load")
    parser.add_argument("--save", type=Path, help="write every sample as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="coc-bench-") as folder:
        load = Path(folder) / "transfers"
        try:
            generator.build()
            generator.sign(load, options.count)
            result = compare(
                "Four validators", machine(), ["coc"], options.runs,
                lambda name: measure(name, load, options.heights),
            )  # fmt: skip
        except BenchFailed as failure:
            print(f"validators: {failure}", file=sys.stderr)
            return 1
    print(result.table())
    if options.save:
        result.save(options.save)
    return 0


if __name__ == "__main__":
    sys.exit(main())
