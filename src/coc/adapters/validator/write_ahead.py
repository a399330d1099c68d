"""The write-ahead log of a validator as its node uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coc._native import Wal
from coc.consensus.bft.wal import Record, encode_record
from coc.node.validator.effects import WriteAhead
from coc.node.validator.wal_codec import LOSS_ACCEPTED, WalContent, decode_entries, encode_entries

WAL_FOLDER: Final = "wal"
"""Folder of the log in a data folder."""
WAL_FILE: Final = "wal"


class WriteAheadLog:
    """What a validator must not forget of the height in progress."""

    def __init__(self, folder: Path, genesis_hash: bytes) -> None:
        """Open the log in a data folder, or make it.

        Raises:
            StorageFailed: it is damaged, another chain's, or cannot be written.
            WalInvalid, ConsensusError, PrimitivesError: it holds what this release cannot read.
        """
        self._wal = Wal.open(folder, genesis_hash, None)
        self.content: WalContent = decode_entries(self._wal.records)

    def persist(self, effect: WriteAhead) -> None:
        """Append and fsync.

        Raises:
            StorageFailed: nothing of it is in the log.
        """
        self._wal.append_durable(encode_entries(effect))

    def append(self, record: Record) -> None:
        """Append; the next `persist` makes it durable.

        Raises:
            StorageFailed: there is no room.
        """
        self._wal.append([encode_record(record)])

    def accept_loss(self) -> None:
        """Note that a person has let the validator sign without what the last log held.

        Raises:
            StorageFailed: the note is not in the log.
        """
        self._wal.append_durable([LOSS_ACCEPTED])

    def begin_height(self) -> None:
        """The height is in the block log: what was kept of it has served."""
        self._wal.begin_height()
