"""A data folder before it is opened: whether it holds a chain, may become one, or is something else.

A chain is made in an empty or new folder only. Otherwise a mistyped `--data` would scatter segments and
indexes over somebody's files, and `coc db rebuild` would later not know which are ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from coc.primitives.errors import AdapterError

GENESIS_FILE: Final = "genesis.json"

OWN_NAMES: Final = frozenset(
    {"LOCK", "admin.sock", "genesis.json.new", "genesis.note", "genesis.note.new", "index", "log", "state"}
    | {"mempool.journal", "mempool.new"}
)
"""What a start that was killed before `genesis.json` was written may leave, or whoever lost that file."""

_HARMLESS_NAMES: Final = frozenset({"lost+found", "keystore", "keys"})
"""What may be in a folder that is to become a data folder: a fresh file system's own, and keys."""


class FolderUnfit(AdapterError):
    """A folder that cannot be used as it was asked for."""

    id: ClassVar[str] = "COC-DATA-FOLDER"


def genesis_in(folder: Path) -> bytes | None:
    """The genesis text that a data folder was made with; None where it holds no chain yet.

    Raises:
        FolderUnfit: the folder cannot be read.
    """
    try:
        return (folder / GENESIS_FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(folder, error) from error


def required_genesis(folder: Path) -> bytes:
    """The genesis text of a folder that must hold a chain.

    Raises:
        FolderUnfit: it holds none, or cannot be read.
    """
    genesis = genesis_in(folder)
    if genesis is None:
        raise FolderUnfit(
            f"{folder} holds no chain",
            why=f"there is no {GENESIS_FILE} in it",
            cure=f"make one first: `coc init --data {folder} --genesis FILE`",
        )
    return genesis


def refuse_strangers(folder: Path) -> None:
    """Refuse to make a chain in a folder that holds something else.

    Raises:
        FolderUnfit: it does, it is no folder, or it cannot be read.
    """
    try:
        names = {entry.name for entry in folder.iterdir()}
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(folder, error) from error
    strangers = sorted(names - OWN_NAMES - _HARMLESS_NAMES - {GENESIS_FILE})
    if GENESIS_FILE not in names and strangers:
        raise FolderUnfit(
            f"{folder} holds something that is no chain",
            why=f"`{strangers[0]}` is in it",
            cure="choose a new or empty folder with --data",
        )


def _unreadable(folder: Path, error: OSError) -> FolderUnfit:
    return FolderUnfit(
        f"{folder} cannot be used as a data folder",
        why=error.strerror or str(error),
        cure="choose another folder with --data, or give this user the right to it",
    )
