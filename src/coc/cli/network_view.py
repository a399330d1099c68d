"""What `coc up --nodes` shows: a row a node, what is wrong, and the keys. Rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from coc.adapters.node_processes import NodeState
from coc.adapters.node_readings import Reading
from coc.primitives.frozen import frozen

KEY_HELP: Final = "1-9 ↑ ↓ choose   k kill −9   p pause / go on   r restart   q quit"

_COLOURS: Final = {
    NodeState.STARTING: "yellow",
    NodeState.RUNNING: "green",
    NodeState.PAUSED: "yellow",
    NodeState.STOPPING: "yellow",
    NodeState.STOPPED: "bright_black",
    NodeState.KILLED: "red",
    NodeState.FAILED: "red",
}
_NOTHING: Final = "–"
_SAYS_NOTHING: Final = Reading(None, None, None, None, None, is_watching=False, problem="")
_BEHIND_BLOCKS: Final = 2
"""A node that hears of a decision a moment later is not behind yet."""


@frozen
class Row:
    """What is shown of one node."""

    number: int
    state: NodeState
    pid: int | None
    rpc: str
    reading: Reading | None
    """What it said last; None before the first answer."""
    is_silent: bool = False
    """It runs, and did not answer the last time it was asked."""
    why: str = ""
    """Why it ended by itself."""


def network_view(rows: Sequence[Row], chosen: int | None) -> RenderableType:
    """Table, verdict and keys; without a chosen row there are no keys to press."""
    parts: list[RenderableType] = [_table(rows, chosen), Text("")]
    parts += [_note(row) for row in rows if _problem(row)]
    parts.append(_verdict(rows))
    if chosen is not None:
        parts += [Text(""), Text(KEY_HELP, style="bright_black")]
    return Padding(Group(*parts), (0, 0, 0, 2))


def quorum_of(count: int) -> int:
    """How many of equal validators are more than two thirds."""
    return 2 * count // 3 + 1


def _table(rows: Sequence[Row], chosen: int | None) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("")
    table.add_column("node", justify="right")
    table.add_column("state", min_width=9)
    for name, width in (("height", 7), ("round", 5), ("final", 7), ("peers", 5), ("pid", 7)):
        table.add_column(name, justify="right", min_width=width)
    table.add_column("RPC")
    for row in rows:
        reading = row.reading or _SAYS_NOTHING
        works = row.state is NodeState.RUNNING
        table.add_row(
            Text("▸" if row.number == chosen else " "),
            str(row.number),
            _state(row),
            _count(reading.height),
            _count(reading.round if works else None),
            _count(reading.finalized),
            _count(reading.peers if works else None),
            _NOTHING if row.pid is None else str(row.pid),
            row.rpc or _NOTHING,
            style="" if works else "dim",
        )
    return table


def _state(row: Row) -> Text:
    if row.state is NodeState.RUNNING:
        if row.is_silent:
            return Text("no answer", style="yellow")
        if row.reading is not None and row.reading.behind > _BEHIND_BLOCKS:
            return Text("behind", style="yellow")
        if row.reading is not None and row.reading.is_watching:
            return Text("watching", style="yellow")
    return Text(row.state.value, style=_COLOURS[row.state])


def _count(value: int | None) -> str:
    return _NOTHING if value is None else f"{value:,}"


def _problem(row: Row) -> str:
    """What is the matter with a node; empty where nothing is."""
    if row.state is NodeState.FAILED:
        return row.why
    if row.state is NodeState.RUNNING and row.reading is not None:
        return row.reading.problem
    return ""


def _note(row: Row) -> Text:
    return Text.assemble((f"node {row.number}: ", "bold red"), _problem(row), overflow="ellipsis")


def _votes(row: Row) -> bool:
    watches = row.reading is not None and row.reading.is_watching
    return row.state is NodeState.RUNNING and not row.is_silent and not watches


def _take_turns(rows: Sequence[Row]) -> bool:
    """Whether the chain has no rounds: then each validator makes blocks by itself."""
    read = [row.reading for row in rows if row.reading is not None]
    return any(reading.height is not None and reading.round is None for reading in read)


def _verdict(rows: Sequence[Row]) -> Text:
    """Whether enough nodes work for the chain to go on."""
    states = {row.state for row in rows}
    if NodeState.STOPPING in states:
        return Text("the nodes are told to stop", style="yellow")
    if states == {NodeState.STOPPED}:
        return Text("stopped")
    working = sum(map(_votes, rows))
    needed = quorum_of(len(rows))
    share = f"{working} of {len(rows)} nodes work, {needed} are needed"
    if working >= needed:
        return Text(f"{share}: blocks are made", style="green")
    if working and _take_turns(rows):
        return Text(f"{share} for blocks to become final: until then they are made", style="yellow")
    if NodeState.STARTING in states:
        return Text(f"{share}: the others are starting", style="yellow")
    return Text(f"{share}: no block is made until more of them work", style="yellow")
