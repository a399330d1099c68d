"""The tags of a rotation chain on disk: beside the chain, and not in its store, which can be made again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coc._native import Mark
from coc.node.rotation.tags import Tags, decode_tags

TAGS_NAME: Final = "tags"


def open_tags(folder: Path) -> Mark:
    """The file of a data folder, or a new one.

    Raises:
        StorageFailed: it is damaged, or cannot be written.
    """
    return Mark.open(folder, TAGS_NAME, None)


def tags_in(file: Mark) -> Tags | None:
    """What it says; None where nothing was written yet.

    Raises:
        TagsInvalid, RlpInvalid: it holds what this release cannot read.
    """
    return decode_tags(file.payload) if file.payload else None
