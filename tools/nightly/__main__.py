"""Run the long campaigns, from where they stopped: `make nightly ARGS="--minutes 60 --only simulator"`.

Each part is noted in docs/nightly.jsonl when it ends, and docs/nightly.md is written again. Without
`--minutes` it ends when every campaign has met its goal. The last line is the sum of this run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from tools.nightly import ledger
from tools.nightly.campaigns import CAMPAIGNS, Campaign, Part
from tools.nightly.page import PAGE, render
from tools.run_tests import ROOT, Outcome


class CannotStart(Exception):
    """The program of a campaign is not there; nothing is said about its seeds."""


def run_part(campaign: Campaign, part: Part, shown: bool = True) -> Outcome:
    """Run a part to its end and read it.

    Raises:
        CannotStart: there is nothing to run.
    """
    call = campaign.call(part)
    environment = {**os.environ, **call.variables}
    lines = []
    try:
        with subprocess.Popen(
            call.command,
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            for line in process.stdout or ():
                lines.append(line)
                if shown and not line.startswith('{"seed"'):
                    sys.stdout.write(line)
            status = process.wait()
    except OSError as problem:
        reason = f"{campaign.name}: cannot start {call.command[0]}: {problem.strerror}; run `make nightly`"
        raise CannotStart(reason) from problem
    outcome = campaign.read(part, status, lines)
    if outcome.failed and shown:
        sys.stdout.writelines(
            line for line in lines if line.startswith('{"seed"') and '"holds": true' not in line
        )
    return outcome


def run_campaign(campaign: Campaign, sources: str, until: float) -> Outcome:
    """Run parts until the goal is met or it is too late to begin another."""
    total = Outcome()
    while time.monotonic() < until:
        part = campaign.next_part(ledger.done(ledger.read(), campaign.name, sources))
        if part is None:
            break
        last = part.first + part.count - 1
        print(f"── {campaign.name}: {part.first:,} to {last:,} of {campaign.goal:,}", flush=True)
        started = time.monotonic()
        outcome = run_part(campaign, part)
        seconds = round(time.monotonic() - started)
        date = time.strftime("%Y-%m-%d", time.gmtime())
        counts = (part.first, part.count, outcome.passed, outcome.failed)
        origin = (ledger.commit(), sources, ledger.machine())
        ledger.append(ledger.Entry(campaign.name, *counts, seconds, date, *origin))
        PAGE.write_text(render(CAMPAIGNS, ledger.read()), encoding="utf-8")
        print(f"── {campaign.name}: {outcome} in {seconds} s", flush=True)
        total += outcome
    return total


def main(arguments: Sequence[str]) -> int:
    """Run what is left; 0 if nothing failed, 2 if something could not run."""
    parser = argparse.ArgumentParser(prog="make nightly", description=__doc__)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no part after so many")
    names = [campaign.name for campaign in CAMPAIGNS]
    parser.add_argument("--only", action="append", choices=names, help="only this campaign")
    options = parser.parse_args(arguments)
    try:
        sources = ledger.sources()
    except ledger.NotCommitted as problem:
        print(problem)
        return 2
    until = time.monotonic() + options.minutes * 60
    chosen = [campaign for campaign in CAMPAIGNS if options.only is None or campaign.name in options.only]
    try:
        total = sum((run_campaign(campaign, sources, until) for campaign in chosen), Outcome())
    except CannotStart as problem:
        print(problem)
        return 2
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
