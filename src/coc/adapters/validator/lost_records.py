"""Taking the loss of a write-ahead log upon oneself, when nobody who remembers is left (BFT-41)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from coc.adapters.chain_port import explained, open_chain
from coc.adapters.data_folder import required_genesis
from coc.adapters.validator.write_ahead import WAL_FILE, WAL_FOLDER, WriteAheadLog
from coc.primitives.errors import AdapterError
from coc.primitives.frozen import frozen


class RecordsNotLost(AdapterError):
    """A folder whose node need not be told to sign."""

    id: ClassVar[str] = "COC-RECORDS-NOT-LOST"


@frozen
class Loss:
    """What a validator's folder still knows."""

    head: int
    """Height of its newest block."""


def find_loss(folder: Path) -> Loss:
    """The folder of a stopped validator whose log is gone.

    Raises:
        RecordsNotLost: the log is there.
        ChainFailed, FolderUnfit: there is no chain, or a node has it open.
    """
    _refuse_existing(folder)
    with explained():
        return Loss(open_chain(required_genesis(folder), folder, {}).head.number)


def accept_loss(folder: Path) -> None:
    """Make a log that says so: the next start takes it for everything that there was to remember.

    Raises:
        RecordsNotLost: the log is there.
        ChainFailed, FolderUnfit: there is no chain, a node has it open, or the log cannot be written.
    """
    _refuse_existing(folder)
    with explained():
        chain = open_chain(required_genesis(folder), folder, {})
        WriteAheadLog(folder / WAL_FOLDER, chain.genesis_hash).accept_loss()


def _refuse_existing(folder: Path) -> None:
    path = folder / WAL_FOLDER / WAL_FILE
    if path.exists():
        raise RecordsNotLost(
            "this validator's write-ahead log is not lost",
            why=f"{path} is there",
            cure="start the node; it signs, or says why it does not",
        )
