"""The check of a data folder, in a child process: damage inside the index's pages may end who reads them.

The child (`folder_check_child`) prints a line of JSON for each slice of work and the report last. A child
that dies on the way is itself a finding; one that dies over the index is followed by another that leaves the
index out, so that the user learns whether the log is whole, which is what a rebuild needs.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from coc.adapters.chain_port import ChainFailed
from coc.primitives.frozen import frozen

CHILD_MODULE: Final = "coc.adapters.folder_check_child"
SKIP_INDEX: Final = "--skip-index"
BEFORE_FIRST_SLICE: Final = "index"
"""The phase a child is in until it says otherwise."""


@frozen
class Slice:
    """How far a check is: the phase (`index`, `log`, `state`, `done`), bytes of it, blocks seen so far."""

    phase: str
    done_bytes: int
    total_bytes: int
    blocks: int


@frozen
class _Ended:
    report: dict[str, Any] | None
    error: str | None
    phase: str
    status: int


def check_folder(folder: Path, show: Callable[[Slice], None]) -> dict[str, Any]:
    """Check a folder that no node has open, and report what `DbCheck.report` says, `sound` above all.

    Raises:
        ChainFailed: nothing can be said: no chain there, in use, or its genesis cannot be read.
    """
    ended = _run_child(folder, show, skip_index=False)
    died = "" if ended.report is not None else _how(ended.status)
    if ended.report is None and ended.error is None and ended.phase == BEFORE_FIRST_SLICE:
        ended = _run_child(folder, show, skip_index=True)
    if ended.error is not None:
        raise ChainFailed(ended.error)
    if ended.report is not None:
        return {**ended.report, "child_died": died}
    finding = {"part": ended.phase, "what": f"reading it ends the process ({died})"}
    cure = f"coc db rebuild --data {folder}"
    return {"sound": False, "findings": [finding], "more_findings": 0, "cure": cure, "child_died": died}


def _run_child(folder: Path, show: Callable[[Slice], None], *, skip_index: bool) -> _Ended:
    command = [sys.executable, "-P", "-m", CHILD_MODULE, str(folder), *([SKIP_INDEX] if skip_index else [])]
    report: dict[str, Any] | None = None
    error: str | None = None
    phase = BEFORE_FIRST_SLICE
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 (our own module)
        assert child.stdout is not None  # noqa: S101 - it was asked for
        try:
            for line in child.stdout:
                said = json.loads(line)
                report, error = said.get("report", report), said.get("error", error)
                if "phase" in said:
                    phase = said["phase"]
                    show(Slice(phase, said["done_bytes"], said["total_bytes"], said["blocks"]))
        except BaseException:
            child.kill()
            raise
    return _Ended(report, error, phase, child.returncode)


def _how(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
