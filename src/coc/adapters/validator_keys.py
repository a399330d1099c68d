"""Making the three keys of a validator in its data folder, and reading back what may be shown of them.

    keys/network.key         its identity among peers, plain: a node must start unattended
    keys/consensus.key       what votes: a version 3 key file, or plain where that was asked for
    keys/fee-recipient.key   only where no password protects keys; otherwise this one lies in the keystore
    keys/validator.json      the public halves, written last: with it the set is whole

Nothing is ever overwritten: a consensus key that was lost may have signed, and its stake is gone with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from coc.adapters.keystore import Keystore, new_secret, read_bounded, write_key_file
from coc.adapters.node_keys import (
    CONSENSUS_KEY,
    KEYS_FOLDER,
    NETWORK_KEY,
    network_key,
    read_plain_key,
    write_plain_key,
)
from coc.adapters.validator_file import (
    VALIDATOR_FILE,
    PublicValidator,
    read_validator_file,
    write_validator_file,
)
from coc.primitives.errors import AdapterError
from coc.primitives.frozen import frozen
from coc.primitives.keystore import ScryptCost, parse_key_file
from coc.primitives.limits import KEYSTORE_FILE_BYTES_MAX
from coc.primitives.secp256k1 import Secret, address_of, public_key_of
from coc.primitives.types import Address

FEE_RECIPIENT_KEY: Final = "fee-recipient.key"


class ValidatorKeysUnfit(AdapterError):
    """A data folder whose validator keys are missing, there already, or do not fit together."""

    id: ClassVar[str] = "COC-VALIDATOR-KEYS"


@frozen
class Protection:
    """How secrets are kept: under this password, in these folders."""

    password: bytes
    cost: ScryptCost
    keystore: Keystore


@frozen
class Owners:
    """Whose the validator is; None where the fee recipient's key is to be made, or operates too."""

    fee_recipient: Address | None = None
    operator: Address | None = None


@frozen
class MadeKeys:
    """What was made."""

    public: PublicValidator
    fee_recipient_path: Path | None
    """Where the fee recipient's new key lies; None where the address was given."""


def make_validator_keys(data: Path, owners: Owners, protection: Protection | None) -> MadeKeys:
    """Make the keys of a validator; plain files where there is no protection.

    Raises:
        ValidatorKeysUnfit: the folder has a consensus key already.
        NodeKeyUnfit, KeystoreFailed, ValidatorFileUnfit: a file cannot be written.
    """
    folder = data / KEYS_FOLDER
    _refuse_existing(folder)
    identity = network_key(data)
    fee_recipient, fee_recipient_path = owners.fee_recipient, None
    if fee_recipient is None:
        secret = new_secret()
        fee_recipient = address_of(secret)
        fee_recipient_path = _keep_fee_recipient(folder, secret, protection)
    consensus = new_secret()
    _keep_consensus_key(folder / CONSENSUS_KEY, consensus, protection)
    public = PublicValidator(
        public_key_of(consensus), public_key_of(identity), fee_recipient, owners.operator or fee_recipient
    )
    write_validator_file(folder / VALIDATOR_FILE, public)
    return MadeKeys(public, fee_recipient_path)


def keep_known_keys(data: Path, network: Secret, consensus: Secret, public: PublicValidator) -> None:
    """Write keys that come from elsewhere, plain; what is there of them already stays.

    Raises:
        NodeKeyUnfit, ValidatorFileUnfit: a file cannot be written.
    """
    folder = data / KEYS_FOLDER
    for name, secret in ((NETWORK_KEY, network), (CONSENSUS_KEY, consensus)):
        if not (folder / name).exists():
            write_plain_key(folder / name, secret)
    if not (folder / VALIDATOR_FILE).exists():
        write_validator_file(folder / VALIDATOR_FILE, public)


def shown_validator_keys(data: Path) -> PublicValidator:
    """The public keys of a data folder, held against the secrets as far as that needs no password.

    Raises:
        ValidatorKeysUnfit: there are none, or the keys beside them are others.
        ValidatorFileUnfit, NodeKeyUnfit, KeystoreFailed, KeyFileError: a file cannot be used.
    """
    folder = data / KEYS_FOLDER
    path = folder / VALIDATOR_FILE
    if not path.is_file():
        raise ValidatorKeysUnfit(
            f"{data} holds no validator's keys",
            why=f"there is no {path}",
            cure=f"make them with `coc keys new --data {data}`",
        )
    public = read_validator_file(path)
    identity = read_plain_key(folder / NETWORK_KEY)
    if identity is not None and public_key_of(identity) != public.network_key:
        raise _contradiction(folder / NETWORK_KEY, path)
    found = _consensus_address(folder / CONSENSUS_KEY)
    if found is not None and found != public.id:
        raise _contradiction(folder / CONSENSUS_KEY, path)
    return public


def _refuse_existing(folder: Path) -> None:
    for name in (CONSENSUS_KEY, FEE_RECIPIENT_KEY, VALIDATOR_FILE):
        if (folder / name).exists():
            raise ValidatorKeysUnfit(
                f"{folder} holds a validator's keys already",
                why=f"{name} is there, and a key that may have voted is never overwritten",
                cure="choose another --data folder; if no chain ever knew this key, move the files away",
            )


def _keep_fee_recipient(folder: Path, secret: Secret, protection: Protection | None) -> Path:
    if protection is not None:
        return protection.keystore.add(secret, protection.password, protection.cost).path
    path = folder / FEE_RECIPIENT_KEY
    write_plain_key(path, secret)
    return path


def _keep_consensus_key(path: Path, secret: Secret, protection: Protection | None) -> None:
    if protection is None:
        write_plain_key(path, secret)
        return
    write_key_file(path, secret, protection.password, protection.cost)


def _consensus_address(path: Path) -> Address | None:
    """Whose key it is; None where the file is not there, or does not say."""
    if not path.is_file():
        return None
    text = read_bounded(path, KEYSTORE_FILE_BYTES_MAX).strip()
    if text.startswith(b"{"):
        return parse_key_file(text).address
    secret = read_plain_key(path)
    return None if secret is None else address_of(secret)


def _contradiction(key: Path, public: Path) -> ValidatorKeysUnfit:
    return ValidatorKeysUnfit(
        f"{key} and {public} are not of one validator",
        why="the public key in the one is not that of the other",
        cure="put back the files that were made together",
    )
