"""The signer's mark of a node, read while the node runs: where its key signed last."""

from __future__ import annotations

import shutil
from pathlib import Path

from coc.adapters.node_keys import KEYS_FOLDER
from coc.adapters.validator.mark_file import MARK_NAME, marked_signer
from coc.consensus.signing_mark import Place, place_of
from coc.primitives.errors import CocError
from tests.e2e.network.network_process import Member


def mark_of(member: Member, scratch: Path) -> Place | None:
    """The place of the last signature; None where there is none yet, or it is being written just now."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        shutil.copy(member.folder / KEYS_FOLDER / MARK_NAME, scratch)
        mark = marked_signer(scratch, member.consensus).mark
    except (OSError, CocError):
        return None
    return None if mark is None else place_of(mark)
