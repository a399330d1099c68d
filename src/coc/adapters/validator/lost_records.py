"""Taking the loss of a write-ahead log upon oneself, when nobody who remembers is left (BFT-41)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from coc._native import Chain
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
    with explained():
        chain = open_chain(required_genesis(folder), folder, {})
        _refuse_records(folder, chain)
        return Loss(chain.head.number)


def accept_loss(folder: Path) -> None:
    """Write it into the log: the next start takes that for everything that there was to remember.

    Raises:
        RecordsNotLost: the log is there.
        ChainFailed, FolderUnfit: there is no chain, a node has it open, or the log cannot be written.
    """
    with explained():
        chain = open_chain(required_genesis(folder), folder, {})
        _refuse_records(folder, chain)
        WriteAheadLog(folder / WAL_FOLDER, chain.genesis_hash).accept_loss()


def _refuse_records(folder: Path, chain: Chain) -> None:
    """A node that watches has made a log too, and has left it empty (BFT-41)."""
    path = folder / WAL_FOLDER / WAL_FILE
    if path.exists() and not WriteAheadLog(path.parent, chain.genesis_hash).content.is_empty:
        raise RecordsNotLost(
            "this validator's write-ahead log is not lost",
            why=f"{path} holds records",
            cure="start the node; it signs, or says why it does not",
        )
