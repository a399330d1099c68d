"""A program in processes that differ in what no run may depend on: the hash seed and the native threads."""

from __future__ import annotations

import os
import subprocess
import sys


def said_in_other_processes(program: str) -> set[str]:
    """What they print."""
    said = set()
    for number in ("1", "6"):
        environment = {**os.environ, "PYTHONHASHSEED": number, "RAYON_NUM_THREADS": number}
        ran = subprocess.run(
            (sys.executable, "-c", program), env=environment, check=True, capture_output=True, text=True
        )
        said.add(ran.stdout.strip())
    return said
