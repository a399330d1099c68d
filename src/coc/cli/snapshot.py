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
from coc.adapters.validator.snapshot_fetch import FetchSetup, fetch_snapshot
from coc.adapters.validator.snapshot_filling import FetchEnd, Foothold, Looking, Report, Trouble
from coc.adapters.validator.snapshot_target import is_half_filled
from coc.cli.progress import ProgressLine, clock_text
from coc.consensus.finality.checkpoint import TrustedBlock
from coc.consensus.sync.snapshot.effects import Progressed
from coc.primitives.errors import CliError

if TYPE_CHECKING:
    from coc.adapters.live_node import NodeChoices

FULL: Final = "full"
SNAPSHOT: Final = "snapshot"
MILLION: Final = 1_000_000
JSON_SECONDS_MIN: Final = 1.0
"""Seconds between two lines of progress for programs."""


def is_wanted(choices: NodeChoices, sync: str | None, trusted: TrustedBlock | None = None) -> bool:
    """Whether a state is to be fetched before the node starts. SYNC-16, SYNC-19.

    Raises:
        CliError: blocks are asked for in a folder that is half filled with a state, or its chain has another
            block than the one that is trusted.
        ChainFailed: the folder's chain cannot be opened.
    """
    folder, rules = choices.folder, choices.genesis.coc
    if choices.network is None or folder is None or rules is None or rules.bft is None:
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
    is_asked_for = sync == SNAPSHOT or trusted is not None
    return is_asked_for and _holds_only_genesis(choices, folder, trusted)


def fill(choices: NodeChoices, *, as_json: bool, log_level: str, trusted: TrustedBlock | None = None) -> bool:
    """Fetch a state into the folder; False where it was told to stop.

    Raises:
        AnchorUnfit: nothing can begin at the block that is trusted.
        CocError: the network or the folder cannot be used.
    """
    import uvloop

    from coc.adapters.log_lines import log_to_stderr

    if choices.network is None or choices.folder is None:
        return True
    log_to_stderr(log_level)
    foothold = None if trusted is None else Foothold(trusted, int(time.time()))
    setup = FetchSetup(choices.genesis, choices.folder, choices.network, foothold)
    view = SnapshotView(as_json=as_json)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            end = runner.run(_fetched(setup, view))
    except BaseException:
        view.clear()
        raise
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

    def clear(self) -> None:
        """Take the line away; what has happened is said elsewhere."""
        self._line.close()

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


def _holds_only_genesis(choices: NodeChoices, folder: Path, trusted: TrustedBlock | None) -> bool:
    with closing(open_chain(choices.genesis.text, folder, choices.chain_options)) as chain:
        head = chain.head.number
        known = None if trusted is None or head == 0 else chain.canonical_hash(trusted.height)
    if known is not None and trusted is not None and known != trusted.block:
        raise CliError(
            f"the chain in {folder} has another block {trusted.height:,} than the checkpoint",
            why=f"validators have certified 0x{known.hex()} there",
            cure="get a checkpoint from somebody you trust, or go on without --checkpoint",
        )
    return head == 0
