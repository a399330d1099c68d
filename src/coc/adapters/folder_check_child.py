"""The child process of `folder_check`: one line of JSON a slice of work, and the report last."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final

from coc import _native
from coc.adapters.folder_check import SKIP_INDEX

SLICE_MS: Final = 200
"""Milliseconds of work between two lines: a progress line that moves, and nothing beside the work."""


def main(folder: str, *, skip_index: bool) -> None:
    """Check the folder to the end."""
    try:
        check = _native.DbCheck.begin(folder, skip_index)
    except (_native.StorageFailed, _native.GenesisInvalid) as error:
        _say({"error": str(error.args[0])})
        return
    while (progress := check.step(SLICE_MS)) is not None:
        _say(json.loads(progress))
    _say({"report": json.loads(check.report())})


def _say(what: dict[str, Any]) -> None:
    os.write(sys.stdout.fileno(), json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1], skip_index=SKIP_INDEX in sys.argv[2:])
