"""`coc db`: look at a data folder, check it, make its store anew from its block log.

| code | `stats` | `check` | `rebuild` |
|---|---|---|---|
| 0 | printed | the folder is sound | the store is whole again |
| 1 | it cannot be read | it is damaged, or cannot be checked: standard error says which | it failed |
| 130 | | interrupted | interrupted; run again, it goes on |
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import rich_click as click

from coc.cli.exits import EXIT_FAILED, told
from coc.cli.progress import ProgressLine

if TYPE_CHECKING:
    from coc.adapters.folder_check import Slice

_KIB: Final = 1 << 10
_MIB: Final = 1 << 20

_data_option = click.option(
    "--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the chain."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Look at a data folder, check it, rebuild it."""


@command.command()
@_data_option
@_json_option
def stats(*, data: Path, as_json: bool) -> None:
    """Print what takes how much space, and how far log and store reach. A node may run meanwhile."""
    from coc.adapters.folder_store import folder_figures

    with told():
        figures = folder_figures(data)
    click.echo(json.dumps(figures) if as_json else "\n".join(_stats_lines(data, figures)))


@command.command()
@_data_option
@_json_option
def check(*, data: Path, as_json: bool) -> None:
    """Verify log, index, state and how they fit. Nothing is changed; no node may run meanwhile.

    Exit code 0 says that the folder is sound, 1 that it is not, or that it could not be checked.
    """
    from coc.adapters.folder_check import check_folder

    line = ProgressLine()
    with told():
        try:
            report = check_folder(data, lambda part: _show(line, part))
        finally:
            line.close()
    report = {**report, "seconds": round(line.seconds(), 3)}
    click.echo(json.dumps(report) if as_json else "\n".join(_check_lines(data, report)))
    if not report["sound"]:
        sys.exit(EXIT_FAILED)


@command.command()
@_data_option
@click.option(
    "--cut-log",
    is_flag=True,
    help="Where the log is damaged, keep the blocks in front of the damage and lose those behind it.",
)
@_json_option
def rebuild(*, data: Path, cut_log: bool, as_json: bool) -> None:
    """Make index and state anew by executing every block of the log again. No node may run meanwhile.

    The log is read to its end before anything is removed. What was interrupted goes on when it is run again.
    """
    from coc.adapters.folder_store import rebuild_folder

    line = ProgressLine()
    with told():
        try:
            facts = rebuild_folder(data, cut_log=cut_log, show=lambda part: _show(line, part))
        finally:
            line.close()
    facts = {**facts, "seconds": round(line.seconds(), 3)}
    if as_json:
        click.echo(json.dumps(facts))
        return
    if facts["cut"] is not None:
        lost, damage = facts["cut"]["lost_bytes"], facts["cut"]["damage"]
        click.echo(f"{data}: {lost:,} bytes were cut off the log: {damage}")
    blocks, seconds, height = facts["blocks"], facts["seconds"], facts["height"]
    click.echo(f"{data}: {blocks:,} blocks executed in {seconds:.1f} s; head {height:,}")


def _show(line: ProgressLine, part: Slice) -> None:
    line.show(part.blocks, part.done_bytes / _MIB, part.total_bytes / _MIB, f"MiB, {part.phase}")


def _stats_lines(data: Path, figures: dict[str, Any]) -> list[str]:
    index, state, log = figures["index"], figures["state"], figures["log"]
    kind = "a chain of ours" if figures["is_coc"] else "an Ethereum chain"
    lines = [
        f"{data}: {kind}, chain id {figures['chain_id']}, genesis {figures['genesis_hash']}",
        f"  highest block   {_block(figures['highest_block'])}",
        f"  store reaches   {_block(figures['flushed_head'])}",
        f"  next start      executes {figures['unflushed_blocks']:,} blocks again",
        f"  blocks          {figures['blocks']:,}",
        f"  log             {_size(log['bytes'])}   {_size(log['reserve_bytes'])} kept aside",
        f"  state           {_size(state['bytes'])}"
        + "".join(
            f"   generation {each['generation']}: {_size(each['bytes'])}" for each in state["generations"]
        ),
        f"  states          {_states(state)}",
    ]
    if index is None:
        lines.append(f"  index           missing: coc db rebuild --data {data}")
    else:
        share = 100 * index["used_bytes"] / index["budget_bytes"]
        lines.append(
            f"  index           {_size(index['file_bytes'])}"
            f"   {share:.1f} % of its budget of {_size(index['budget_bytes'])}"
        )
        lines += [
            f"    {each['table']:<13} {each['rows']:>12,} rows   {_size(each['bytes'])}"
            for each in index["tables"]
            if each["rows"]
        ]
    lines.append(f"  free on device  {_size(figures['free_bytes'])}")
    return lines


def _states(state: dict[str, Any]) -> str:
    kept = "the older ones are pruned" if state["is_pruned"] else "every one is kept"
    height = state["copied_height"]
    return kept if height is None else f"{kept}; that of block {height:,} is copied"


def _check_lines(data: Path, report: dict[str, Any]) -> list[str]:
    if report["sound"]:
        torn = f", {report['torn_bytes']:,} bytes of a torn record" if report["torn_bytes"] else ""
        log = f"{report['records']:,} blocks in {_size(report['log_bytes'])} of log"
        state = f"{report['states']:,} states of {report['nodes']:,} nodes"
        return [
            f"{data} is sound: {log}, {report['rows']:,} rows, {state}",
            f"  the next start executes {report['unflushed_blocks']:,} blocks again{torn}",
        ]
    lines = [f"{data} is damaged:"]
    lines += [f"  {finding['part']}: {finding['what']}" for finding in report["findings"]]
    if report["more_findings"]:
        lines.append(f"  and {report['more_findings']:,} more")
    if report.get("lost_log_bytes"):
        lines.append(
            f"  the log is whole for {report['records']:,} blocks;"
            f" {_size(report['lost_log_bytes'])} lie behind the damage"
        )
    return [*lines, f"  → {report['cure']}"]


def _block(block: dict[str, Any] | None) -> str:
    return "none" if block is None else f"{block['number']:,} {block['hash']}"


def _size(count: int) -> str:
    return f"{count / _MIB:,.1f} MiB" if count >= _MIB else f"{count / _KIB:,.1f} KiB"
