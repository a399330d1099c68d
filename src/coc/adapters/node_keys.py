"""The keys of a node beside its chain: its identity among peers, and a validator's consensus key.

    keys/network.key      64 hex digits, readable by its owner only; made at the first start
    keys/consensus.key    64 hex digits, or a version 3 key file with a password

A node needs its identity unattended, and losing it costs a name and nothing more. The consensus key is stake.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import ClassVar, Final

from coc.primitives.errors import AdapterError
from coc.primitives.limits import KEYSTORE_FILE_BYTES_MAX
from coc.primitives.secp256k1 import Secret, SecretInvalid, secret_of

KEYS_FOLDER: Final = "keys"
NETWORK_KEY: Final = "network.key"
CONSENSUS_KEY: Final = "consensus.key"
_OWNER_ONLY: Final = 0o600


class NodeKeyUnfit(AdapterError):
    """A key of a node that cannot be read or written."""

    id: ClassVar[str] = "COC-NODE-KEY"


def network_key(folder: Path) -> Secret:
    """The identity of the node with this data folder; a new one where there is none.

    Raises:
        NodeKeyUnfit: the file holds something else, or cannot be written.
    """
    path = folder / KEYS_FOLDER / NETWORK_KEY
    found = read_plain_key(path)
    if found is not None:
        return found
    made = new_secret()
    write_plain_key(path, made)
    return made


def new_secret() -> Secret:
    """A key from the system's generator."""
    while True:
        try:
            return secret_of(secrets.token_bytes(32))
        except SecretInvalid:  # one in 2^128
            continue


def read_plain_key(path: Path) -> Secret | None:
    """A key of 64 hex digits; None where there is no file.

    Raises:
        NodeKeyUnfit: the file holds something else, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            text = file.read(KEYSTORE_FILE_BYTES_MAX).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unfit(path, error.strerror or str(error)) from error
    try:
        return secret_of(bytes.fromhex(text.decode("ascii").removeprefix("0x")))
    except ValueError as error:
        raise _unfit(path, "it does not hold 64 hex digits") from error


def write_plain_key(path: Path, secret: Secret) -> None:
    """Write a new key durably; an existing file is never overwritten.

    Raises:
        NodeKeyUnfit: it is there already, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unfit(path, error.strerror or str(error)) from error


def _unfit(path: Path, why: str) -> NodeKeyUnfit:
    return NodeKeyUnfit(
        f"{path} cannot be used as a key", why=why, cure="restore it, or move it away and make a new one"
    )
