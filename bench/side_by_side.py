"""Repeated measurements of several nodes, shown as medians and ratios.

The nodes take turns, in changing order, so that a busy moment of the machine hits all of them.
"""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Figures = Mapping[str, float]
"""Figure name, with its unit, to value."""
Medians = dict[str, dict[str, float]]
"""Node name to its figures."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All runs of all nodes, and the medians over them."""

    title: str
    machine: str
    runs: int
    medians: Medians
    samples: dict[str, list[dict[str, float]]]

    def table(self) -> str:
        """A Markdown table: one line a figure, one column a node, and each node's ratio to the last one.

        A figure that not all nodes have stands where the first that has it puts it.
        """
        nodes = list(self.medians)
        reference = nodes[-1]
        others = [name for name in nodes if name != reference]
        heads = ["figure", *nodes, *(f"{name} / {reference}" for name in others)]
        lines = [f"### {self.title}", "", f"{self.machine}; medians of {self.runs}.", ""]
        lines += [_row(heads), _row(["---", *("--:" for _ in heads[1:])])]
        for figure in dict.fromkeys(figure for name in nodes for figure in self.medians[name]):
            values = [self.medians[name].get(figure, math.nan) for name in nodes]
            ratios = [_ratio(value, values[-1]) for value in values[:-1]]
            lines.append(_row([figure, *(_number(value) for value in values), *ratios]))
        return "\n".join(lines)

    def save(self, path: Path) -> None:
        """Writes every sample as JSON, so that a table can be traced to its runs."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")


def compare(
    title: str, machine: str, nodes: Sequence[str], runs: int, measure: Callable[[str], Figures]
) -> Comparison:
    """Measures each node `runs` times in turn. `nodes` ends with the one the others are compared to."""
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in nodes}
    for run in range(runs):
        for name in nodes if run % 2 == 0 else reversed(nodes):
            print(f"{title}: run {run + 1} of {runs}, {name}", file=sys.stderr)
            samples[name].append(dict(measure(name)))
    medians = {
        name: {figure: statistics.median(one[figure] for one in of_node) for figure in of_node[0]}
        for name, of_node in samples.items()
    }
    return Comparison(title, machine, runs, medians, samples)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ratio(value: float, base: float) -> str:
    return "–" if base == 0 or math.isnan(value / base) else f"{value / base:.2f}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:#.3g}"
