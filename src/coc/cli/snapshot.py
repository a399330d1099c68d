"""Joining by a snapshot, as somebody at a terminal sees it: what is sought, how far it is, how it ended."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, assert_never

import rich_click as click

from coc.adapters.chain_port import closing, open_chain
from coc.adapters.validator.snapshot_fetch import (
    FetchEnd,
    FetchSetup,
    Looking,
    Report,
    Trouble,
    fetch_snapshot,
)
from coc.adapters.validator.snapshot_target import is_half_filled
from coc.cli.progress import ProgressLine, clock_text
from coc.consensus.sync.snapshot.effects import Progressed
from coc.primitives.errors import CliError

if TYPE_CHECKING:
    from coc.adapters.live_node import NodeChoices

FULL: Final = "full"
SNAPSHOT: Final = "snapshot"
MILLION: Final = 1_000_000
JSON_SECONDS_MIN: Final = 1.0
"""Seconds between two lines of progress for programs."""


def is_wanted(choices: NodeChoices, sync: str | None) -> bool:
    """Whether a state is to be fetched before the node starts. SYNC-16.

    Raises:
        CliError: blocks are asked for in a folder that is half filled with a state.
        ChainFailed: the folder's chain cannot be opened.
    """
    folder = choices.folder
    if choices.network is None or folder is None:
        if sync == SNAPSHOT:
            raise CliError(
                "this chain has no snapshots",
                why="only what several validators have certified can be taken from strangers",
                cure="leave out --sync",
            )
        return False
    if is_half_filled(folder):
        if sync == FULL:
            raise CliError(
                f"{folder} is half filled with a snapshot",
                why="blocks cannot be executed on a state that is not complete",
                cure="leave out --sync to go on with the snapshot, or choose an empty folder with --data",
            )
        return True
    return sync == SNAPSHOT and _holds_only_genesis(choices, folder)


def fill(choices: NodeChoices, *, as_json: bool, log_level: str) -> bool:
    """Fetch a state into the folder; False where it was told to stop.

    Raises:
        CocError: the network or the folder cannot be used.
    """
    import uvloop

    from coc.adapters.log_lines import log_to_stderr

    if choices.network is None or choices.folder is None:
        return True
    log_to_stderr(log_level)
    setup = FetchSetup(choices.genesis, choices.folder, choices.network)
    view = SnapshotView(as_json=as_json)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        end = runner.run(_fetched(setup, view))
    view.close(end)
    return end is not FetchEnd.STOPPED


class SnapshotView:
    """What a person or a program is shown."""

    def __init__(self, *, as_json: bool) -> None:
        """Nothing is shown yet."""
        self._as_json = as_json
        self._line = ProgressLine(enabled=False if as_json else None)
        self._last: Progressed | None = None
        self._told_s = 0.0

    def show(self, report: Report) -> None:
        """Show how it stands."""
        match report:
            case Looking(peers):
                self._line.say(f"  looking for a snapshot among peers: {peers:,}")
            case Progressed():
                self._last = report
                self._line.say(progress_text(report))
                if self._as_json and time.monotonic() - self._told_s >= JSON_SECONDS_MIN:
                    self._told_s = time.monotonic()
                    click.echo(json.dumps({"snapshot": progress_facts(report)}))
            case Trouble(reason):
                self._line.close()
                click.echo(reason, err=True)
            case _:
                assert_never(report)

    def close(self, end: FetchEnd) -> None:
        """Take the line away, and say how it has ended."""
        self._line.close()
        facts = {} if self._last is None else progress_facts(self._last)
        if self._as_json:
            click.echo(json.dumps({"snapshot": facts | {"ended": end.value}}))
            return
        match end:
            case FetchEnd.IS_CHAIN:
                height = 0 if self._last is None else self._last.height
                click.echo(f"the state after block {height:,} is here; blocks from there on are fetched now")
            case FetchEnd.TOO_YOUNG:
                click.echo("the chain has no snapshot yet; its blocks are fetched from the first on")
            case FetchEnd.STOPPED:
                click.echo("stopped; start the node again to go on with the snapshot from here")


def progress_text(report: Progressed) -> str:
    """The line for a terminal. SYNC-14."""
    counts = report.counts
    percent, megabytes = 100 * report.done_millionths // MILLION, counts.bytes / MILLION
    of_all = "" if report.accounts_estimate is None else f" of about {report.accounts_estimate:,}"
    left = "" if report.left_ms is None else f"   {clock_text(report.left_ms / 1000)} left"
    return (
        f"  state after block {report.height:,}   {percent} %   {counts.accounts:,}{of_all} accounts   "
        f"{counts.slots:,} slots   {megabytes:,.1f} MB{left}"
    )


def progress_facts(report: Progressed) -> dict[str, Any]:
    """The same for a program."""
    counts = report.counts
    return {
        "block": report.height,
        "done": report.done_millionths / MILLION,
        "accounts": counts.accounts,
        "accountsEstimate": report.accounts_estimate,
        "slots": counts.slots,
        "codes": counts.codes,
        "bytes": counts.bytes,
        "secondsLeft": None if report.left_ms is None else report.left_ms // 1000,
    }


async def _fetched(setup: FetchSetup, view: SnapshotView) -> FetchEnd:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return await fetch_snapshot(setup, view.show, stop)


def _holds_only_genesis(choices: NodeChoices, folder: Path) -> bool:
    with closing(open_chain(choices.genesis.text, folder, choices.chain_options)) as chain:
        return chain.head.number == 0
