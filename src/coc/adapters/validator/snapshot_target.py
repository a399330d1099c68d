"""The file that names the block whose state is being fetched, so that a start after a kill goes on with it.

Its block was proved final before it was written (SYNC-1), and what a file on our own disk says is believed as
everything there is; a file that does not read is as good as none, since the block can be found again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from coc.adapters.folder_sync import sync_folder
from coc.adapters.log_lines import LOGGER
from coc.consensus.sync.snapshot.inputs import Target
from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.keccak import keccak256
from coc.primitives.types import Height

TARGET_FILE: Final = "snapshot-target"
PROGRESS_FILE: Final = "snapshot"
"""The native core's: there from the first moment to the last of a fetch."""


def is_half_filled(folder: Path) -> bool:
    """Whether a fetch was begun in a folder and not finished."""
    return (folder / PROGRESS_FILE).exists()


def load_target(folder: Path) -> Target | None:
    """The block that a fetch was at; None where there is none that reads."""
    try:
        item = rlp.decode((folder / TARGET_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, PrimitivesError) as error:
        LOGGER.warning("the block of the snapshot under way cannot be read: %s", error)
        return None
    match item:
        case [bytes(height), bytes(header), bytes(certificate)]:
            return Target(Height(rlp.uint(height, bits=64)), keccak256(header), header, certificate)
        case _:
            return None


def save_target(folder: Path, target: Target) -> None:
    """Keep the block, durably, before anything of its state is built in.

    Raises:
        OSError: the disk is full, or the folder is not ours.
    """
    path = folder / TARGET_FILE
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(rlp.encode([target.height, target.header, target.certificate]))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(folder)


def forget_target(folder: Path) -> None:
    """The folder is a chain now."""
    (folder / TARGET_FILE).unlink(missing_ok=True)
