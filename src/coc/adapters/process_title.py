"""What a process is called in `ps` and `top`: a fork looks like its parent until it says otherwise.

Linux shows two names: a short one that `prctl` sets, and the arguments, which it reads from the process's own
memory, where they can be written over. Nobody depends on it, so what the system does not allow is left out.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_PR_SET_NAME: Final = 15
_ARGUMENTS_START, _ARGUMENTS_END = 45, 46
"""Places in /proc/self/stat, counted from the field behind the name (`proc_pid_stat(5)`)."""


def show_as(command: Sequence[str]) -> None:
    """Be shown as this command; what is longer than the command that started the process is cut off."""
    arguments = [part.encode(errors="replace") for part in command]
    ctypes.CDLL(None).prctl(_PR_SET_NAME, b" ".join(arguments[:2]), 0, 0, 0)
    with suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[_ARGUMENTS_START]), int(fields[_ARGUMENTS_END])
        room = end - start - 1
        if start and room > 0:
            shown = b"\0".join(arguments)[:room]
            ctypes.memmove(start, shown.ljust(room, b"\0"), room)
