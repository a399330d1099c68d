"""The file of known peers: written whole, beside the old one, and then in its place.

What is in it can be learned again, so a file that does not read is a line in the log and no more.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from coc.adapters.folder_sync import sync_folder
from coc.adapters.log_lines import LOGGER
from coc.primitives.limits_wire import PEER_STORE_BYTES_MAX
from coc.primitives.types import Millis
from coc.wire.peer_book.store import PeerStoreInvalid, StoredBook, decode_book

PEERS_FILE: Final = "peers"


class PeerStore:
    """Saves and loads what a peer book knows; without a folder it forgets."""

    def __init__(self, folder: Path | None) -> None:
        """Use the file `peers` in a data folder."""
        self._path = None if folder is None else folder / PEERS_FILE

    def load(self, now_ms: Millis) -> StoredBook:
        """What the last run knew; nothing where there is no file, or none that reads."""
        if self._path is None:
            return StoredBook()
        try:
            with self._path.open("rb") as file:
                return decode_book(file.read(PEER_STORE_BYTES_MAX + 1), now_ms)
        except FileNotFoundError:
            return StoredBook()
        except (OSError, PeerStoreInvalid) as error:
            LOGGER.warning("known peers cannot be read: %s", error)
            return StoredBook()

    def save(self, data: bytes) -> None:
        """Replace the file, atomically and durably; the old one stays where that fails."""
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            LOGGER.warning("known peers cannot be saved: %s", error)
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
