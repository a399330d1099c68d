"""A process that must not outlive the one that started it, even where that one is killed.

The kernel is asked to send SIGKILL to this process when its parent dies (`PR_SET_PDEATHSIG`). A pipe that the
child watches would be gentler, but a child that is stopped (SIGSTOP) never looks at it, and would stay for
ever; SIGKILL ends a stopped process too. A node loses nothing by it: ending at any moment is what its log is
made for. The signal is bound to the thread that started the child, so starters do that from a thread that
lives as long as they do.
"""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def end_with(parent: int) -> None:
    """Bind this process to its parent; it ends at once where the parent is gone already.

    Raises:
        OSError: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel does not bind a process to its parent")
    if os.getppid() != parent:  # it died before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)
