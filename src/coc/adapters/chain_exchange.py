"""A chain that was fetched, in the place of the one in a data folder: by renames, which a kill cannot break.

    DIR/fetching/    a state on its way; the chain in DIR is used meanwhile, and nothing is lost with this
    DIR/fetched/     a whole chain, to be exchanged: whoever opens DIR next does it first, or goes on with it
    DIR/set-aside/   what was in DIR, until the node stands on the other

What belongs to the chain changes its place. Everything else stays: keys, the signer's mark, the write-ahead
log, peers, tags, transactions that wait. So nothing can be signed twice. DIVERGE-10.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from coc.adapters.folder_sync import sync_folder

FETCHING: Final = "fetching"
FETCHED: Final = "fetched"
SET_ASIDE: Final = "set-aside"
PARTS: Final = ("log", "state", "index", "way")
"""What belongs to a chain: the log first, since it is the truth."""
LOCK_FILE: Final = "LOCK"
"""The native core's: held by the process that has the folder open."""


def commit(folder: Path) -> None:
    """From now on the fetched chain is the one; before it is called it must be whole.

    Raises:
        OSError: the folder is not ours, or its disk fails.
    """
    remove(folder / SET_ASIDE)
    _move(folder / FETCHING, folder / FETCHED)


def settle(folder: Path) -> None:
    """Exchange what is to be exchanged, unless another process has the folder; else do nothing.

    Raises:
        OSError: the folder is not ours, or its disk fails.
    """
    if not (folder / FETCHED).is_dir():
        return
    with _locked(folder) as is_ours:
        if is_ours:
            for name in PARTS:
                _exchange(folder, name)
            remove(folder / FETCHED)
            sync_folder(folder)


def was_exchanged(folder: Path) -> bool:
    """Whether the chain was exchanged, and what was there before is kept still."""
    return (folder / SET_ASIDE).is_dir()


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there.

    Raises:
        OSError: it is not ours, or its disk fails.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return


def _exchange(folder: Path, name: str) -> None:
    fresh, place, kept = folder / FETCHED / name, folder / name, folder / SET_ASIDE / name
    if not fresh.exists():
        return  # done before a kill, or a chain that has none: the old way from genesis is as true
    kept.parent.mkdir(exist_ok=True)
    if place.exists() and not kept.exists():
        _move(place, kept)
    elif place.is_dir():
        remove(place)  # made by somebody who came between two renames
    _move(fresh, place)


def _move(origin: Path, place: Path) -> None:
    """Rename, durably, before anything else is done."""
    origin.rename(place)
    for folder in {origin.parent, place.parent}:
        sync_folder(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the folder as a chain that is open does; False where somebody has it."""
    with (folder / LOCK_FILE).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
