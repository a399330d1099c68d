"""The folder of key files: made for its owner alone, written whole or not at all, never overwritten.

A new file is written under a temporary name with mode 0600, synced, and only then linked to its final name;
the link fails where the name is taken. Names are go-ethereum's, so that its tools find the files:
`UTC--2026-01-31T12-00-00.000000000Z--<address>`.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

from coc.adapters.folder_sync import sync_folder
from coc.primitives.checksum import format_checked
from coc.primitives.errors import AdapterError
from coc.primitives.frozen import frozen
from coc.primitives.keystore import (
    ID_BYTES,
    IV_BYTES,
    SALT_BYTES,
    Dice,
    KeyFile,
    KeyFileDamaged,
    KeyFileError,
    ScryptCost,
    parse_key_file,
    seal_key_file,
)
from coc.primitives.limits import KEYSTORE_FILE_BYTES_MAX, KEYSTORE_FILES_MAX
from coc.primitives.secp256k1 import Secret, SecretInvalid, address_of, secret_of
from coc.primitives.types import Address

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700

_TEMPORARY: Final = ".new-"


class KeystoreFailed(AdapterError):
    """The folder or a file in it cannot be read or written."""

    id: ClassVar[str] = "COC-KEYSTORE"


class KeyExists(AdapterError):
    """The folder holds a key file for this address already."""

    id: ClassVar[str] = "COC-KEYSTORE-EXISTS"


@frozen
class StoredKey:
    """One key file of the folder."""

    path: Path
    address: Address | None
    """`None` when the file does not say, or cannot be read."""
    problem: str
    """Why it cannot be used as it is; empty when it can."""


class Keystore:
    """The key files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self) -> list[StoredKey]:
        """Every key file in order of name; damaged ones with what is wrong.

        Raises:
            KeystoreFailed: the folder cannot be read, or holds more than `KEYSTORE_FILES_MAX` files.
        """
        if not self._folder.exists():
            return []
        with _explained(f"cannot read the keystore {self._folder}"):
            paths = sorted(path for path in self._folder.iterdir() if not path.name.startswith("."))
        if len(paths) > KEYSTORE_FILES_MAX:
            raise KeystoreFailed(
                f"too many files in {self._folder}",
                why=f"{len(paths)} where {KEYSTORE_FILES_MAX} are allowed",
                cure="is this the right folder? give another with --keystore",
            )
        return [_described(path) for path in paths if path.is_file()]

    def read(self, path: Path) -> KeyFile:
        """One key file, parsed.

        Raises:
            KeystoreFailed: it cannot be read.
            KeyFileError: it is not a key file we can use.
        """
        return parse_key_file(read_bounded(path, KEYSTORE_FILE_BYTES_MAX))

    def add(self, secret: Secret, password: bytes, cost: ScryptCost) -> StoredKey:
        """Encrypt a secret into a new file.

        Raises:
            KeyExists: the folder holds this address already.
            KeystoreFailed: it cannot be written.
        """
        address = address_of(secret)
        taken = next((key.path for key in self.list() if key.address == address), None)
        if taken is not None:
            raise KeyExists(
                f"{format_checked(address)} is in the keystore already",
                why=f"its file is {taken}",
                cure="use that file, or move it away first",
            )
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f000Z")
        path = self._folder / f"UTC--{moment}--{address.hex()}"
        write_key_file(path, secret, password, cost)
        return StoredKey(path, address, "")


def write_key_file(path: Path, secret: Secret, password: bytes, cost: ScryptCost) -> None:
    """Encrypt a secret into a new file of any name.

    Raises:
        KeystoreFailed: it is there already, or cannot be written.
    """
    dice = Dice(*(secrets.token_bytes(size) for size in (SALT_BYTES, IV_BYTES, ID_BYTES)))
    text = seal_key_file(secret, password, dice, cost)
    with _explained(f"cannot write the key file {path}"):
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _write_new(path, text)


def new_secret() -> Secret:
    """A fresh private key from the operating system's generator."""
    while True:
        with suppress(SecretInvalid):  # fails once in 2^127
            return secret_of(secrets.token_bytes(32))


def read_bounded(path: Path, bytes_max: int) -> bytes:
    """A small file's bytes.

    Raises:
        KeystoreFailed: it cannot be read, or is larger than `bytes_max`.
    """
    with _explained(f"cannot read {path}"), path.open("rb") as file:
        text = file.read(bytes_max + 1)
    if len(text) > bytes_max:
        raise KeystoreFailed(
            f"{path} is too large", why=f"more than {bytes_max} bytes", cure="is it the right file?"
        )
    return text


def _described(path: Path) -> StoredKey:
    try:
        key_file = parse_key_file(read_bounded(path, KEYSTORE_FILE_BYTES_MAX))
    except (KeyFileError, KeystoreFailed) as error:
        what = error.why if isinstance(error, KeyFileDamaged) else f"{error.what}: {error.why}"
        return StoredKey(path, None, what)
    mode = stat.S_IMODE(path.stat().st_mode)
    open_to_others = f"others can read it (mode {mode:o}); chmod 600 it" if mode & 0o077 else ""
    return StoredKey(path, key_file.address, open_to_others)


def _write_new(path: Path, text: bytes) -> None:
    """Write a file that does not exist yet, whole and durable, readable by its owner alone."""
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink()
    sync_folder(path.parent)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeystoreFailed(
            what, why=error.strerror or str(error), cure="check the path and its permissions"
        ) from error
