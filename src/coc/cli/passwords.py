"""Passwords and secrets as a person gives them: from a prompt or a file, never on the command line.

Every user of the machine can read a command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from coc.adapters.keystore import read_bounded
from coc.primitives.errors import CliError
from coc.primitives.limits import KEYSTORE_FILE_BYTES_MAX, PASSWORD_BYTES_MAX


def new_password(password_file: Path | None) -> bytes:
    """The password of a key file about to be made; asked for twice, never empty.

    Raises:
        CliError: it is empty.
        KeystoreFailed: the file cannot be read.
    """
    if password_file is not None:
        password = known_password(password_file, "")
    else:
        password = str(
            click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        ).encode()
    if not password:
        raise CliError("the password is empty", why="it would protect nothing", cure="choose another")
    return password


def known_password(password_file: Path | None, prompt: str) -> bytes:
    """The password of a key file that is there: the first line of a file, or what is typed.

    Raises:
        KeystoreFailed: the file cannot be read.
    """
    if password_file is None:
        return str(click.prompt(prompt, hide_input=True, default="", show_default=False, err=True)).encode()
    first_line = bytes_of(password_file, PASSWORD_BYTES_MAX).split(b"\n", 1)[0]
    return first_line.removesuffix(b"\r")


def bytes_of(path: Path, bytes_max: int = KEYSTORE_FILE_BYTES_MAX) -> bytes:
    """A small file's bytes; `-` is standard input.

    Raises:
        CliError: standard input is longer.
        KeystoreFailed: the file is, or cannot be read.
    """
    if str(path) != "-":
        return read_bounded(path, bytes_max)
    text = sys.stdin.buffer.read(bytes_max + 1)
    if len(text) > bytes_max:
        raise CliError(
            "standard input is too long", why=f"more than {bytes_max} bytes", cure="is it the right one?"
        )
    return text
