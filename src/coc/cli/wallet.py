"""`coc wallet`: make, import and list encrypted keys in a folder of key files.

Passwords and secrets come from a prompt or a file, never from the command line, where every user of the
machine could read them. Results go to standard output, as text or with `--json`; exit code 1 means that
nothing was changed, 2 that the command line was wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import rich_click as click

from coc.adapters.keystore import Keystore, StoredKey, new_secret
from coc.cli.passwords import bytes_of, known_password, new_password
from coc.primitives import mnemonic
from coc.primitives.checksum import format_checked
from coc.primitives.errors import CliError, CocError
from coc.primitives.keystore import LIGHT_COST, STANDARD_COST, ScryptCost, open_key_file, parse_key_file
from coc.primitives.secp256k1 import Secret, secret_of

DEFAULT_FOLDER: Final = "~/.coc/keystore"

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)

_keystore_option = click.option(
    "--keystore",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_FOLDER,
    envvar="COC_KEYSTORE",
    show_default=True,
    show_envvar=True,
    help="Folder of the key files.",
)
_password_option = click.option(
    "--password-file", type=_FILE, help="File whose first line is the password; asked for without it."
)
_light_option = click.option(
    "--light", is_flag=True, help="Cheaper encryption: 4 MiB instead of 256 MiB to open it."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Make, import and list encrypted keys."""


@command.command()
@_keystore_option
@_password_option
@_light_option
@_json_option
def new(folder: Path, password_file: Path | None, light: bool, as_json: bool) -> None:
    """Make a new key."""
    with _told():
        password = new_password(password_file)
        _print_keys([_keystore(folder).add(new_secret(), password, _cost(light))], as_json)


@command.command("import")
@click.argument("source", type=_FILE, required=False)
@click.option(
    "--path", default=f"{mnemonic.ETHEREUM_PATH}/0", show_default=True, help="Derivation path of a mnemonic."
)
@click.option(
    "--source-password-file", type=_FILE, help="Password of the key file that is imported; else asked for."
)
@_keystore_option
@_password_option
@_light_option
@_json_option
def import_(
    *,
    source: Path | None,
    path: str,
    source_password_file: Path | None,
    folder: Path,
    password_file: Path | None,
    light: bool,
    as_json: bool,
) -> None:
    """Import a key from SOURCE: a file with a key in hex, a mnemonic, or a key file; - is standard input.

    Without SOURCE the key or mnemonic is asked for.
    """
    with _told():
        secret = _secret_from(_source_text(source), path, source_password_file)
        password = new_password(password_file)
        _print_keys([_keystore(folder).add(secret, password, _cost(light))], as_json)


@command.command("list")
@_keystore_option
@_json_option
def list_(folder: Path, as_json: bool) -> None:
    """List the keys."""
    with _told():
        _print_keys(_keystore(folder).list(), as_json)


def _keystore(folder: Path) -> Keystore:
    return Keystore(folder.expanduser())


def _cost(light: bool) -> ScryptCost:
    return LIGHT_COST if light else STANDARD_COST


def _source_text(source: Path | None) -> bytes:
    if source is None:
        return str(click.prompt("Private key in hex, or mnemonic", hide_input=True, err=True)).encode()
    return bytes_of(source)


def _secret_from(text: bytes, path: str, source_password_file: Path | None) -> Secret:
    """Tell the three kinds of source apart by their form: an object, words, or hex digits."""
    if text.lstrip().startswith(b"{"):
        key_file = parse_key_file(text)
        return open_key_file(
            key_file, known_password(source_password_file, "Password of the imported key file")
        )
    try:
        words = text.decode().strip()
    except UnicodeDecodeError as error:
        raise _unknown_source() from error
    if len(words.split()) > 1:
        return mnemonic.derive(mnemonic.seed_of(words), path)
    try:
        return secret_of(bytes.fromhex(words.removeprefix("0x")))
    except ValueError as error:
        raise _unknown_source() from error


def _unknown_source() -> CliError:
    return CliError(
        "nothing to import",
        why="the source is neither a private key, a mnemonic nor a key file",
        cure="give 64 hex digits, 12 to 24 words, or a version 3 key file",
    )


def _print_keys(keys: list[StoredKey], as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "address": None if key.address is None else format_checked(key.address),
                "path": str(key.path),
                "problem": key.problem or None,
            }
            for key in keys
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for key in keys:
        address = "(address unknown)".ljust(42) if key.address is None else format_checked(key.address)
        click.echo(f"{address}  {key.path}" + (f"  {key.problem}" if key.problem else ""))


@contextmanager
def _told() -> Iterator[None]:
    """Tell an error of ours in its own words and leave with exit code 1."""
    try:
        yield
    except CocError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
