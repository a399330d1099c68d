"""The genesis of a data folder, read in full once.

Checking a million accounts takes seconds. The Rust core leaves a note beside the genesis file of a chain
that it has opened: a hash of the whole text, and the text without its accounts. While the text has that hash
its accounts are those that were checked when the chain was made, and only the rest is read again.
"""

from __future__ import annotations

from pathlib import Path

from coc import _native
from coc.adapters.data_folder import genesis_in, required_genesis
from coc.execution.genesis import Genesis, read_checked_genesis, read_genesis


def kept_genesis(folder: Path) -> Genesis | None:
    """The genesis that a data folder was made with; None where it holds no chain yet.

    Raises:
        FolderUnfit: the folder cannot be read.
        GenesisInvalid: its genesis file describes no chain.
    """
    text = genesis_in(folder)
    return None if text is None else noted_genesis(text, folder)


def required_kept_genesis(folder: Path) -> Genesis:
    """The genesis of a folder that must hold a chain.

    Raises:
        FolderUnfit: it holds none, or cannot be read.
        GenesisInvalid: its genesis file describes no chain.
    """
    return noted_genesis(required_genesis(folder), folder)


def noted_genesis(text: bytes, folder: Path) -> Genesis:
    """A genesis text; its accounts are looked at unless a note in the folder is of this very text.

    Raises:
        GenesisInvalid, ForksInvalid: as `read_genesis`.
    """
    note = _native.genesis_note(folder, text)
    if note is None:
        return read_genesis(text)
    account_count, outline = note
    return read_checked_genesis(text, outline, account_count)
