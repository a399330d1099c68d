"""A consensus key with its mark on disk."""

from __future__ import annotations

from pathlib import Path

from coc._native import Mark, StorageFailed
from coc.node.validator.signer import MarkedSigner
from coc.node.validator.signing_order import Judge
from coc.primitives.errors import AdapterError
from coc.primitives.secp256k1 import Secret

MARK_NAME = "signer.mark"


class MarkUnfit(AdapterError):
    """The signer's mark cannot be used; the sentence is the core's own and names the cure."""

    id = "COC-MARK-FILE"


def marked_signer(folder: Path, secret: Secret, judge_by: Judge | None = None) -> MarkedSigner:
    """The signer of a key whose mark lies in a folder; `judge_by` says what may be signed above it.

    Raises:
        MarkUnfit: the mark is damaged, or cannot be written.
        MarkInvalid, RlpInvalid: it holds what this release cannot read.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return MarkedSigner(secret, Mark.open(folder, MARK_NAME, None), judge_by)
    except StorageFailed as error:
        raise MarkUnfit(str(error.args[0])) from error
    except OSError as error:
        raise MarkUnfit(f"{folder} cannot be used", why=error.strerror or str(error)) from error
