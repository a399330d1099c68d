"""Small file systems that a test may fill: memory with a size and a number of files, or ext4 in a file.

Mounting needs root and a kernel that lets a container do it; where that is missing a test is skipped, and
says so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.root_commands import run_or_skip

MIB = 1 << 20
CHUNK = b"\0" * (64 << 10)


@contextmanager
def tmpfs(place: Path, mib: int, files: int = 0) -> Iterator[Path]:
    """A file system in memory of so many MiB, and at most so many files where that is not 0."""
    options = f"size={mib}m" + (f",nr_inodes={files}" if files else "")
    with _mounted(place, ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]) as mounted:
        yield mounted


@contextmanager
def ext4(place: Path, mib: int) -> Iterator[Path]:
    """An ext4 file system of so many MiB in a file, without space kept for root."""
    image = place.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(mib * MIB)
    run_or_skip("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
    with _mounted(place, ["mount", "-o", "loop", str(image), str(place)]) as mounted:
        yield mounted


@contextmanager
def _mounted(place: Path, command: list[str]) -> Iterator[Path]:
    place.mkdir()
    run_or_skip(*command)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, name: str = "filler") -> Path:
    """A file that takes all the space that is left; remove it to give the space back."""
    filler = place / name
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    size = len(CHUNK)
    try:
        while size:
            try:
                os.write(descriptor, CHUNK[:size])
                os.fsync(descriptor)
            except OSError:
                size //= 2
    finally:
        os.close(descriptor)
    return filler


def use_up_files(place: Path) -> Path:
    """A folder of empty files, as many as the file system still takes; removing it gives the places back."""
    crowd = place / "crowd"
    crowd.mkdir()
    number = 0
    try:
        while True:
            (crowd / str(number)).touch()
            number += 1
    except OSError:
        return crowd
