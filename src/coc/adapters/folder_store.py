"""The store of a data folder without a node: its figures, and making it anew from the block log."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from coc import _native
from coc.adapters.chain_port import explained
from coc.adapters.folder_check import Slice

SLICE_MS: Final = 200
"""Milliseconds of rebuilding between two looks at the keyboard."""


def folder_figures(folder: Path) -> dict[str, Any]:
    """What `db_stats` says of a folder; a node may have it open.

    Raises:
        ChainFailed: there is no chain, or log or index cannot be opened.
    """
    with explained():
        figures: dict[str, Any] = json.loads(_native.db_stats(folder))
    return figures


def rebuild_folder(folder: Path, *, cut_log: bool, show: Callable[[Slice], None]) -> dict[str, Any]:
    """Make index and state anew by executing every block of the log: `blocks`, `height`, and `cut` or None.

    `cut` is what was cut off a damaged log (`records_kept`, `lost_bytes`, `damage`), which only `cut_log`
    allows. An interrupted rebuild goes on when it is asked for again.

    Raises:
        ChainFailed: the folder is in use, or its log is missing or damaged, or the disk is full.
    """
    with explained():
        work = _native.DbRebuild.begin(folder, cut_log)
        while True:
            progress = json.loads(work.step(SLICE_MS))
            if progress["phase"] == "done":
                break
            phase, blocks = progress["phase"], progress["blocks"]
            show(Slice(phase, progress["done_bytes"], progress["total_bytes"], blocks))
        cut = work.cut()
    return {
        "blocks": progress["blocks"],
        "height": progress["height"],
        "cut": None if cut is None else json.loads(cut),
    }
