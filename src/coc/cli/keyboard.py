"""Single keys from a terminal, without waiting for Enter; Ctrl-C stays a signal."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

UP, DOWN = "up", "down"

_ARROWS: Final = {b"\x1b[A": UP, b"\x1b[B": DOWN, b"\x1bOA": UP, b"\x1bOB": DOWN}
_READ_BYTES: Final = 64


@contextmanager
def keyboard(on_key: Callable[[str], None]) -> Iterator[bool]:
    """Hand each key to `on_key` on the running loop; yields whether there is a keyboard at all."""
    if not sys.stdin.isatty():
        yield False
        return
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def read() -> None:
        typed = os.read(descriptor, _READ_BYTES)
        if not typed:  # the terminal is gone
            loop.remove_reader(descriptor)
        for key in keys_in(typed):
            on_key(key)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def keys_in(typed: bytes) -> Iterator[str]:
    """The keys in what a terminal sent: letters and digits as they are, arrows by name, no others."""
    place = 0
    while place < len(typed):
        arrow = _ARROWS.get(typed[place : place + 3])
        if arrow is not None:
            yield arrow
            place += 3
            continue
        if chr(typed[place]).isalnum():
            yield chr(typed[place]).lower()
        place += 1
