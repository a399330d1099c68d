"""How commands end: exit codes, and the one way to say why.

0: done. 1: it did not work, and nothing else was changed. 2: the command line was wrong (click's own). 130: interrupted.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import rich_click as click

EXIT_FAILED = 1


def fail(sentence: str, cure: str = "") -> NoReturn:
    """Say what is wrong, and the cure, on standard error, and end with exit code 1."""
    click.echo(f"Error: {sentence}" + (f"\n  → {cure}" if cure else ""), err=True)
    sys.exit(EXIT_FAILED)
