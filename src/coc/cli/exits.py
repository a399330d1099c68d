"""How commands end: exit codes, and the one way to say why.

| code | meaning |
|---|---|
| 0 | done |
| 1 | it did not work; standard error says why and what to do |
| 2 | the command line was wrong |
| 130 | interrupted; running the same command again goes on |
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import rich_click as click

from coc.primitives.errors import CocError

EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130


def fail(sentence: str, cure: str = "") -> NoReturn:
    """Say what is wrong, and the cure, on standard error, and end with exit code 1."""
    click.echo(f"Error: {sentence}" + (f"\n  → {cure}" if cure else ""), err=True)
    sys.exit(EXIT_FAILED)


@contextmanager
def told() -> Iterator[None]:
    """End the command with what an error says, instead of a traceback."""
    try:
        yield
    except CocError as error:
        what = f"{error.what}: {error.why}" if error.why else error.what
        fail(f"{what} [{error.id}]", error.cure)
    except KeyboardInterrupt:
        click.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(EXIT_INTERRUPTED)
