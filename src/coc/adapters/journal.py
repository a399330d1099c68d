"""The mempool's journal: what was acknowledged survives a killed process.

A record is magic (4) ‖ length (4) ‖ CRC-32 of what follows (4) ‖ encoded transaction, integers big-endian.
Appending hands the bytes to the operating system before the client is told; they are fsynced every
`MEMPOOL_JOURNAL_FSYNC_MS_MAX`, which bounds what a power loss can take. At a start, bytes that are no record
are passed over to the next that is one: a torn end, a flipped bit, or what a full disk left of a write.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from coc.adapters.folder_sync import sync_folder
from coc.primitives.errors import AdapterError
from coc.primitives.frozen import frozen
from coc.primitives.limits import MEMPOOL_TRANSACTION_BYTES_MAX

JOURNAL_FILE: Final = "mempool.journal"
RECORD_MAGIC: Final = b"\xc0Txn"

_HEAD: Final = struct.Struct(">4sII")


class JournalError(AdapterError):
    """The journal cannot be written or read."""

    id: ClassVar[str] = "COC-JOURNAL"


@frozen
class JournalContent:
    """What a journal held: transactions, oldest first, and how many bytes were none."""

    raws: list[bytes]
    damaged_bytes: int


class Journal:
    """An append-only file of encoded transactions."""

    def __init__(self, folder: Path) -> None:
        """Open or create the journal in a data folder.

        Raises:
            JournalError: it cannot be opened for writing.
        """
        self._path = folder / JOURNAL_FILE
        self._dirty = False
        try:
            self._file = self._open()
            sync_folder(folder)
        except OSError as error:
            raise self._failed("opened", error) from error

    def read(self) -> JournalContent:
        """What is in the journal.

        Raises:
            JournalError: it cannot be read.
        """
        try:
            return parse_journal(self._path.read_bytes())
        except OSError as error:
            raise self._failed("read", error) from error

    def append(self, raws: Sequence[bytes]) -> None:
        """Hand transactions to the operating system.

        Raises:
            JournalError: the disk refused; the journal is as it was.
        """
        data = b"".join(encode_record(raw) for raw in raws)
        length = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self._cut(length)
            raise self._failed("written", error) from error
        if written != len(data):
            self._cut(length)
            raise self._failed("written", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        self._dirty = True

    def rewrite(self, raws: Sequence[bytes]) -> None:
        """Replace the journal by these transactions, atomically and durably.

        Raises:
            JournalError: the disk refused; the old journal is still there.
        """
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(b"".join(encode_record(raw) for raw in raws))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            renewed = self._open()
            sync_folder(self._path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise self._failed("written anew", error) from error
        os.close(self._file)
        self._file = renewed
        self._dirty = False

    def take_unsynced(self) -> int | None:
        """A descriptor for `sync` to use on any thread, where something is not yet durable; else None."""
        if not self._dirty:
            return None
        self._dirty = False
        return os.dup(self._file)

    def close(self) -> None:
        """Make all durable and close."""
        descriptor = self.take_unsynced()
        with contextlib.suppress(OSError):
            if descriptor is not None:
                sync(descriptor)
        os.close(self._file)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _cut(self, length: int) -> None:
        """Take back half a write. Where even that fails, the next start passes over it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, length)

    def _failed(self, action: str, error: OSError) -> JournalError:
        return JournalError(
            f"{self._path} cannot be {action}",
            why=error.strerror or str(error),
            cure="free some space or give this user the right to it; transactions are taken again then",
        )


def sync(descriptor: int) -> None:
    """Make a file durable and let go of the descriptor.

    Raises:
        OSError: the device did not do it.
    """
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def encode_record(raw: bytes) -> bytes:
    """One record."""
    return _HEAD.pack(RECORD_MAGIC, len(raw), zlib.crc32(raw)) + raw


def parse_journal(data: bytes) -> JournalContent:
    """The records in the bytes of a journal, whatever else is between them."""
    raws: list[bytes] = []
    good_bytes = place = 0
    while (place := data.find(RECORD_MAGIC, place)) >= 0:
        start = place + _HEAD.size
        if start > len(data):
            break
        _, length, checksum = _HEAD.unpack_from(data, place)
        raw = data[start : start + length] if length <= MEMPOOL_TRANSACTION_BYTES_MAX else b""
        if raw and len(raw) == length and zlib.crc32(raw) == checksum:
            raws.append(raw)
            place = start + length
            good_bytes += _HEAD.size + length
        else:
            place += 1
    return JournalContent(raws, len(data) - good_bytes)
