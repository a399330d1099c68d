"""Takes the README's picture: runs a command in a terminal of its own and saves what it showed as SVG.

The command runs for the given seconds, then gets an interrupt, as from a person.
Colours are kept, the live line shows its last state, and the picture asks no server for fonts.

    python tools/take_picture.py docs/images/devnet.svg 8 -- coc up --port 18545
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 100, 40
"""Cells: as wide as GitHub shows without scaling."""
READ_BYTES = 65536
"""Bytes taken from the terminal at once."""


def record(command: list[str], seconds: float) -> str:
    """Runs a command in a pseudo-terminal and returns what it wrote, escape sequences included."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    ) as process:
        os.close(terminal)
        written = bytearray()
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([controller], [], [], left)[0]:
                try:
                    written += os.read(controller, READ_BYTES)
                except OSError:  # Linux: the other end is closed, the command has ended
                    break
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    os.close(controller)
    return written.decode("utf-8", errors="replace")


def draw(title: str, written: str) -> str:
    """The screen as SVG: each line as its last rewriting left it."""
    console = Console(
        record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    lines = written.replace("\r\n", "\n").split("\n")
    console.print(Text.from_ansi("\n".join(_last_state(line) for line in lines).rstrip()))
    svg = console.export_svg(title=title)
    return re.sub(r"@font-face\s*\{[^}]*\}\s*", "", svg)


def _last_state(line: str) -> str:
    """What a terminal shows of a line that was erased and written again."""
    return re.split(r"\r|\x1b\[2K", line.rstrip("\r"))[-1]


def main(arguments: list[str]) -> int:
    """Parses `FILE SECONDS -- COMMAND…`; returns 2 and the usage for anything else."""
    match arguments:
        case [target, seconds, "--", program, *rest]:
            path = Path(target)
            path.parent.mkdir(parents=True, exist_ok=True)
            title = " ".join([Path(program).name, *rest])
            path.write_text(draw(title, record([program, *rest], float(seconds))), encoding="utf-8")
            return 0
        case _:
            print("usage: take_picture.py FILE SECONDS -- COMMAND…", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
