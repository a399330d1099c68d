"""The mempool's journal: what was acknowledged survives a killed process.

A record is length (4, big-endian) ‖ CRC-32 (4) ‖ encoded transaction. Appending hands the bytes to the operating system before the
client is told; they are fsynced every `MEMPOOL_JOURNAL_FSYNC_MS_MAX`, which bounds what a power loss can take. A torn last record
is cut at the next start.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from coc.primitives.errors import AdapterError
from coc.primitives.limits import MEMPOOL_TRANSACTION_BYTES_MAX

JOURNAL_FILE = "mempool.journal"
_HEAD_BYTES = 8


class JournalError(AdapterError):
    """The journal cannot be written."""

    id = "COC-JOURNAL"


class Journal:
    """An append-only file of encoded transactions."""

    def __init__(self, folder: Path) -> None:
        """Open or create the journal in a data folder."""
        self._path = folder / JOURNAL_FILE
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._dirty = False

    def read(self) -> list[bytes]:
        """The transactions in the journal, oldest first; a torn end is cut off."""
        data = self._path.read_bytes()
        raws: list[bytes] = []
        place = 0
        while place + _HEAD_BYTES <= len(data):
            length = int.from_bytes(data[place : place + 4], "big")
            start = place + _HEAD_BYTES
            raw = data[start : start + length]
            checksum = int.from_bytes(data[place + 4 : start], "big")
            if length > MEMPOOL_TRANSACTION_BYTES_MAX or len(raw) != length or zlib.crc32(raw) != checksum:
                break
            raws.append(raw)
            place = start + length
        if place < len(data):
            os.ftruncate(self._file, place)
        return raws

    def append(self, raws: Sequence[bytes]) -> None:
        """Hand transactions to the operating system.

        Raises:
            JournalError: the disk refused; the journal is as it was.
        """
        data = b"".join(_record(raw) for raw in raws)
        length = os.fstat(self._file).st_size
        try:
            if os.write(self._file, data) != len(data):
                raise OSError(28, "no space left on device")
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, length)
            raise JournalError(
                f"{self._path} cannot be written",
                why=str(error.strerror),
                cure="free some space; transactions are taken again then",
            ) from error
        self._dirty = True

    def rewrite(self, raws: Sequence[bytes]) -> None:
        """Replace the journal by these transactions, atomically.

        Raises:
            JournalError: the disk refused; the old journal is still there.
        """
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(b"".join(_record(raw) for raw in raws))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise JournalError(f"{self._path} cannot be rewritten", why=str(error.strerror)) from error
        os.close(self._file)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND)
        self._dirty = False

    def sync(self) -> None:
        """Make what was appended durable."""
        if self._dirty:
            self._dirty = False
            os.fsync(self._file)

    def close(self) -> None:
        """Sync and close."""
        with contextlib.suppress(OSError):
            self.sync()
        os.close(self._file)


def _record(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + zlib.crc32(raw).to_bytes(4, "big") + raw
