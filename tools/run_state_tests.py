"""Runs the official state tests: unpacks the archive below CONFORMANCE_DIR once, then runs `coc evm`.

The archive is unpacked below build/, into a folder named by its own size and time, so that a newer archive is
unpacked anew and the folder with the data is never written to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ARCHIVE = Path("ethereum-tests", "GeneralStateTests-subset.tar.xz")
UNPACKED = ROOT / "build" / "conformance"


def unpack(archive: Path, below: Path) -> Path:
    """The folder with the archive's files; a folder appears whole or not at all."""
    facts = archive.stat()
    place = below / f"{archive.name.partition('.')[0]}-{facts.st_size}-{facts.st_mtime_ns}"
    if not place.is_dir():
        unfinished = place.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        with tarfile.open(archive) as opened:
            opened.extractall(unfinished, filter="data")
        unfinished.rename(place)
    return place


def main() -> int:
    """Unpacks and runs; returns the exit code of `coc`, or 2 with a sentence where the data is missing."""
    archive = Path(os.environ.get("CONFORMANCE_DIR", "")) / ARCHIVE
    if not archive.is_file():
        print(f"There is no {archive}; CONFORMANCE_DIR must name the folder that holds {ARCHIVE.parent}.")
        return 2
    coc = Path(sys.executable).parent / "coc"
    command = (str(coc), "evm", "statetest", "--summary", "--jobs", str(os.cpu_count() or 1))
    return subprocess.run((*command, str(unpack(archive, UNPACKED))), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
