"""Whose blocks a node makes: the validator's key from a file, the keystore, or the keys everybody knows."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from coc.adapters.keystore import Keystore, read_bounded
from coc.adapters.live_node import SealingChoices
from coc.consensus.rotation.engine import Sealing
from coc.execution.genesis import CocRules
from coc.primitives.checksum import format_checked
from coc.primitives.errors import CliError
from coc.primitives.frozen import frozen
from coc.primitives.keystore import open_key_file, parse_key_file
from coc.primitives.limits import KEYSTORE_FILE_BYTES_MAX, PASSWORD_BYTES_MAX
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import Secret, address_of, secret_of
from coc.primitives.types import Address


@frozen
class KeySources:
    """Where the validator's key may be."""

    key_file: Path | None
    keystore: Path
    password_file: Path | None


@frozen
class ValidatorKey:
    """The key of a chain's validator."""

    secret: Secret
    is_known_to_everybody: bool = False


def validator_key(rules: CocRules | None, sources: KeySources) -> ValidatorKey | None:
    """The key that may seal on a chain; None where none is at hand.

    Raises:
        CliError: a key was given and is not the validator's, or cannot be read.
        KeyFileError: the password is wrong, or the key file damaged.
    """
    given = None if sources.key_file is None else read_key(sources.key_file, sources.password_file)
    if rules is None:
        if given is not None:
            raise CliError(
                "this folder holds an Ethereum chain, on which nothing is sealed",
                cure="start the node without --validator-key",
            )
        return None
    validators = [validator.id for validator in rules.validators.validators]
    if given is not None:
        if validators != [address_of(given)]:
            wanted = ", ".join(format_checked(each) for each in validators)
            raise CliError(
                "the key is not that of this chain's only validator",
                why=f"it is {format_checked(address_of(given))}, the chain has {wanted}",
                cure="give the key the chain was made with",
            )
        return ValidatorKey(given)
    if len(validators) != 1:
        return None
    known = dev_secrets(DEV_MNEMONIC, 1)[0]
    if address_of(known) == validators[0]:
        return ValidatorKey(known, is_known_to_everybody=True)
    path = _stored_path(sources.keystore, validators[0])
    return None if path is None else ValidatorKey(read_key(path, sources.password_file))


def sealing_choices(rules: CocRules, key: ValidatorKey) -> SealingChoices:
    """A block each interval that genesis names."""
    return SealingChoices(key.secret, rules, Sealing.INTERVAL, rules.block_interval_s * 1000)


def _stored_path(folder: Path, address: Address) -> Path | None:
    return next((key.path for key in Keystore(folder).list() if key.address == address), None)


def read_key(path: Path, password_file: Path | None) -> Secret:
    """A key from a file of 64 hex digits or a version 3 key file.

    Raises:
        CliError: it holds no key, or its password is not at hand.
        KeyFileError: the password is wrong, or the file damaged.
    """
    text = read_bounded(path, KEYSTORE_FILE_BYTES_MAX).strip()
    if text.startswith(b"{"):
        return open_key_file(parse_key_file(text), _password(path, password_file))
    try:
        return secret_of(bytes.fromhex(text.decode("ascii").removeprefix("0x")))
    except ValueError as error:
        raise CliError(
            f"{path} holds no key", cure="give a version 3 key file, or a file with 64 hex digits"
        ) from error


def _password(path: Path, password_file: Path | None) -> bytes:
    if password_file is not None:
        return read_bounded(password_file, PASSWORD_BYTES_MAX).split(b"\n", 1)[0].removesuffix(b"\r")
    if not sys.stdin.isatty():
        raise CliError(f"{path} needs its password", cure="give it with --password-file FILE")
    return str(click.prompt(f"Password of {path}", hide_input=True, err=True)).encode()
