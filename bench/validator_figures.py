"""What is measured of a network of validators, part by part; every part has a network of its own.

Moments are those at which the first node, asked every few milliseconds, showed a block. Loads go to all
nodes at once, over sixteen connections. A load in which anything is refused, failed or missing is no result.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import generator
import joining
from nodes import BenchFailed
from validator_network import TARGET_S, Coc, System

RATE = 1_000
"""Transactions a second, where they are sent at a rate."""
BATCH = 50
HEIGHTS_BEFORE = 3
"""Blocks before a network counts as running."""
SECONDS_A_HEIGHT = 1.3
"""How long a load at a rate goes on for each block that is to be seen: the slower network's interval."""
HEIGHTS_UNDER_LOAD = 6
"""Blocks between the beginning of a load and the end of all nodes."""
FEED_SECONDS = 60
"""What is sent to nodes that will be killed lasts longer than they do."""
CPU = "full speed: CPU of all four, ms/tx"


@dataclass(frozen=True, slots=True)
class Task:
    """One part of one run: whose network, in which empty folder, and how much."""

    system: System
    folder: Path
    heights: int
    count: int
    """Transactions of the load at full speed."""

    @property
    def home(self) -> Path:
        """Where the network is."""
        return self.folder / "network"

    def load(self, count: int, *, is_saturating: bool) -> Path:
        """A file of transactions, written before any clock starts."""
        path = self.folder / "load"
        self.system.write_load(path, count, is_saturating=is_saturating)
        return path


Figures = dict[str, float]
Part = Callable[[Task], Figures]


def intervals(task: Task) -> Figures:
    """Start, and a network that has nothing to do."""
    with task.system.running(task.home) as net:
        figures = {"start to first block, s": net.await_height(1) - net.began}
        net.await_height(HEIGHTS_BEFORE)
        busy, began = net.processor_seconds(), time.monotonic()
        figures |= _of_gaps("idle", _gaps(net.arrivals(task.heights)))
        busy, elapsed = net.processor_seconds() - busy, time.monotonic() - began
        figures["idle: CPU of all four, % of a core"] = 100 * busy / elapsed
        figures["idle: memory of the largest node, MiB"] = net.memory_mib()
    return figures


def rate(task: Task) -> Figures:
    """A thousand transactions a second; then, for ours, a fifth node that fetches what was made."""
    path = task.load(round(RATE * task.heights * SECONDS_A_HEIGHT), is_saturating=False)
    with task.system.running(task.home) as net:
        net.await_height(HEIGHTS_BEFORE)
        aim = generator.Aim(net.urls, net.language.final_dialect, BATCH, RATE)
        report = generator.send_to(aim, path)
        figures = _of_gaps("1,000/s", _gaps(report["seen_s"]))
        for share in ("p50", "p99", "max"):
            figures[f"1,000/s: submission to final {share}, s"] = report["latency_ms"][share] / 1_000
        figures["1,000/s: requests behind their time at most, ms"] = report["late_ms_max"]
        if isinstance(task.system, Coc):
            figures |= joining.figures(net, task.folder / "fifth")
    return figures


def saturated(task: Task) -> Figures:
    """Everything at once, in batches; and the same for a node of ours alone, to compare the work of four."""
    figures = _at_full_speed(task)
    if isinstance(task.system, Coc):
        folder = task.folder / "alone"
        folder.mkdir()
        alone_ms = _at_full_speed(replace(task, system=Coc(1), folder=folder))[CPU]
        figures["full speed, one node: CPU, ms/tx"] = alone_ms
        figures["full speed: CPU of all four / 4 × one node"] = figures[CPU] / (4 * alone_ms)
    return figures


def dead(task: Task) -> Figures:
    """One of four is killed and stays away."""
    with task.system.running(task.home) as net:
        net.await_height(HEIGHTS_BEFORE)
        net.kill(len(net.nodes) - 1)
        gaps = _gaps(net.arrivals(task.heights))
    return {
        "one of four dead: mean interval, s": statistics.fmean(gaps),
        "one of four dead: longest wait for a block beyond its due time, s": max(gaps) - TARGET_S,
    }


def killed(task: Task) -> Figures:
    """All are killed between two blocks, under load, and started again."""
    path = task.load(RATE * FEED_SECONDS, is_saturating=False)
    acknowledged = task.folder / "acknowledged"
    with task.system.running(task.home) as net:
        net.await_height(HEIGHTS_BEFORE)
        aim = generator.Aim(net.urls, net.language.dialect, BATCH, RATE)
        feeding = generator.start_feeding(aim, path, acknowledged)
        net.arrivals(HEIGHTS_UNDER_LOAD)
        threading.Event().wait(TARGET_S / 2)
        height = max(node.height() for node in net.nodes)
        net.kill()
        fed = json.loads(feeding.communicate()[0])
    if fed["refused"]:
        raise BenchFailed(f"{task.system.name} refused transactions: {fed}")
    with task.system.running(task.home) as net:
        next_block_s = net.await_height(height + 1) - net.began
        found = generator.find_again(generator.Aim(net.urls, net.language.dialect, BATCH), acknowledged)
    return {
        "all killed: restart to next block, s": next_block_s,
        "all killed: transactions acknowledged": found["acknowledged"],
        "all killed: acknowledged and lost": found["missing"],
    }


def _at_full_speed(task: Task) -> Figures:
    path = task.load(task.count, is_saturating=True)
    with task.system.running(task.home) as net:
        net.await_height(HEIGHTS_BEFORE)
        before = net.processor_seconds()
        held = task.system.disk_bytes(task.home)
        report = generator.send_to(generator.Aim(net.urls, net.language.dialect, BATCH), path)
        spent_ms = 1_000 * (net.processor_seconds() - before) / report["included"]
        memory_mib = net.memory_mib()
    figures = {
        "full speed: accepted/s": report["accepted_per_s"],
        "full speed: committed/s": report["included_per_s"],
        CPU: spent_ms,
        "full speed: memory of the largest node, MiB": memory_mib,
    }
    # After the end of the network: what a node writes as it stops is part of what the load costs.
    for part, size in task.system.disk_bytes(task.home).items():
        figures[f"disk of a node, {part}, B/tx"] = (size - held[part]) / report["included"]
    return figures


def _gaps(moments: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(moments)]


def _of_gaps(name: str, gaps: Sequence[float]) -> Figures:
    if not gaps:
        raise BenchFailed(f"{name}: there were no two blocks to take an interval of")
    ordered = sorted(gaps)
    return {
        f"{name}: interval p50, s": statistics.median(ordered),
        f"{name}: interval p99, s": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        f"{name}: mean interval, s": statistics.fmean(ordered),
    }
