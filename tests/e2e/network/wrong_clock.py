"""A wall clock of a process that is set wrong, also while the process runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tests.e2e.network.network_process import Place

READ_AGAIN_SECONDS = 1


class WrongClock:
    """What the processes at its place take for the time of day; clocks that only rise stay right."""

    def __init__(self, file: Path, ahead_seconds: int = 0) -> None:
        """`file` holds the difference, and belongs to the clock."""
        self._file = file
        self.set(ahead_seconds)

    def set(self, ahead_seconds: int) -> None:
        """Running processes see the change within READ_AGAIN_SECONDS."""
        scratch = self._file.with_suffix(".next")
        scratch.write_text(f"{ahead_seconds:+d}s\n")
        scratch.replace(self._file)

    @property
    def place(self) -> Place:
        """This machine, by this clock."""
        variables = {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(READ_AGAIN_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        return Place(prefix=("env", *(f"{name}={value}" for name, value in variables.items())))


def _library() -> Path:
    found = importlib.util.find_spec("libfaketime")
    assert found is not None, "libfaketime is not installed; `make setup` does it"
    assert found.origin is not None
    return next(Path(found.origin).parent.rglob("libfaketime.so.1"))
