"""The way from genesis as a node that began with a snapshot was shown it, so that it can show it to others.

    record  length (4) ‖ CRC-32 of the payload (4) ‖ payload, a link of a finality proof

The n-th record is the link of the n-th boundary, so a place in the file is all that is remembered of each.
What a crash has torn at the end is cut away. SYNC-6.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from coc.consensus.finality.records import Link, decode_record
from coc.primitives.limits_finality import FINALITY_RECORD_BYTES_MAX
from coc.primitives.types import Height

WAY_FILE: Final = "way"
_HEAD: Final = struct.Struct(">II")


class WayFile:
    """Links in the order of their boundaries; may be used from any thread."""

    def __init__(self, folder: Path, period_blocks: int) -> None:
        """The file of a data folder, which may not be there."""
        self._path = folder / WAY_FILE
        self._period_blocks = period_blocks
        self._lock = threading.Lock()
        self._ends = array("Q", [0])
        """Where the first record begins, and where each ends."""
        if self._path.exists():
            with self._path.open("rb") as file:
                while (payload := _read(file)) is not None:
                    self._ends.append(self._ends[-1] + _HEAD.size + len(payload))

    def __len__(self) -> int:
        """How many links are kept."""
        return len(self._ends) - 1

    def extend(self, first: Height, links: Sequence[bytes]) -> None:
        """Keep the links from a boundary on, durably; those that are kept already are passed over.

        Raises:
            OSError: the disk is full, or the folder is not ours.
        """
        with self._lock:
            fresh = links[max(0, len(self) - self._index(first)) :]
            if not fresh or self._index(first) > len(self):
                return
            with self._path.open("r+b" if self._path.exists() else "xb") as file:
                file.truncate(self._ends[-1])
                file.seek(self._ends[-1])
                for payload in fresh:
                    file.write(_HEAD.pack(len(payload), zlib.crc32(payload)) + payload)
                file.flush()
                os.fsync(file.fileno())
            for payload in fresh:
                self._ends.append(self._ends[-1] + _HEAD.size + len(payload))

    def link(self, boundary: Height) -> Link | None:
        """The link of a boundary; None where it is not kept, or does not read."""
        index = self._index(boundary)
        with self._lock:
            if index >= len(self):
                return None
            with self._path.open("rb") as file:
                file.seek(self._ends[index])
                payload = _read(file)
        record = None if payload is None else decode_record(payload)
        return record if isinstance(record, Link) else None

    def _index(self, boundary: Height) -> int:
        return (boundary + 1) // self._period_blocks - 1


def _read(file: BinaryIO) -> bytes | None:
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, checksum = _HEAD.unpack(head)
    payload = file.read(length) if 0 < length <= FINALITY_RECORD_BYTES_MAX else b""
    return payload if len(payload) == length and zlib.crc32(payload) == checksum else None
