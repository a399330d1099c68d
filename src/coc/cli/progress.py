"""One line on standard error that says how far long work has come, how fast it goes and when it will end."""

from __future__ import annotations

import sys
import time
from typing import Final

REDRAW_SECONDS_MIN: Final = 0.2
"""Seconds between two versions of the line: readable, and costs nothing beside the work."""


class ProgressLine:
    """The line; silent where standard error is no terminal."""

    def __init__(self, *, enabled: bool | None = None) -> None:
        """Time runs from here. By default the line is shown on terminals only."""
        self._enabled = sys.stderr.isatty() if enabled is None else enabled
        self._started = time.monotonic()
        self._drawn = self._started

    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def show(self, blocks: int, done: float, total: float, unit: str) -> None:
        """Write over the line: `blocks` so far, `done` of `total` in `unit`."""
        self.say(progress_text(blocks, done, total, unit, time.monotonic() - self._started))

    def say(self, text: str) -> None:
        """Write over the line, unless that was done just now."""
        now = time.monotonic()
        if not self._enabled or now - self._drawn < REDRAW_SECONDS_MIN:
            return
        self._drawn = now
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def close(self) -> None:
        """Take the line away."""
        if self._enabled:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def progress_text(blocks: int, done: float, total: float, unit: str, seconds: float) -> str:
    """The line's text after so many seconds."""
    rate = blocks / seconds if seconds > 0 else 0.0
    left = seconds * (total - done) / done if done else 0.0
    eta = f"{clock_text(left)} left"
    return f"  {blocks:,} blocks   {rate:,.0f} blocks/s   {done:,.1f} of {total:,.1f} {unit}   {eta}"


def clock_text(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
