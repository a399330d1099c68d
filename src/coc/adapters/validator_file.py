"""The public half of a validator's keys, in a file that may be shown to anybody.

`coc keys new` writes it; whoever makes a genesis collects one from each validator, and a validator that joins
later registers with its own. The id is there for people, and to notice a file that was typed or cut.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from coc.adapters.keystore import KeystoreFailed, read_bounded
from coc.primitives.checksum import format_checked, parse_checked
from coc.primitives.errors import AdapterError, HexInvalid, quoted
from coc.primitives.frozen import frozen
from coc.primitives.limits import KEYSTORE_FILE_BYTES_MAX
from coc.primitives.strict_json import Json, JsonInvalid, decode_json
from coc.primitives.types import Address, parse_fixed
from coc.primitives.validators import PUBLIC_KEY_BYTES, address_of_key

VALIDATOR_FILE: Final = "validator.json"
"""Its name beside the keys."""

_MEMBERS: Final = ("id", "consensusKey", "networkKey", "feeRecipient", "operator")


class ValidatorFileUnfit(AdapterError):
    """A file that does not name a validator's public keys, or cannot be read or written."""

    id: ClassVar[str] = "COC-VALIDATOR-FILE"


@frozen
class PublicValidator:
    """What the others must know of a validator."""

    consensus_key: bytes
    network_key: bytes
    fee_recipient: Address
    operator: Address
    """Whose stake it is in a genesis; who joins later is operated by the account that sends the stake."""

    @property
    def id(self) -> Address:
        """The address of the consensus key."""
        return address_of_key(self.consensus_key)

    def json(self) -> dict[str, str]:
        """The members of the file."""
        return {
            "id": format_checked(self.id),
            "consensusKey": f"0x{self.consensus_key.hex()}",
            "networkKey": f"0x{self.network_key.hex()}",
            "feeRecipient": format_checked(self.fee_recipient),
            "operator": format_checked(self.operator),
        }


def read_validator_file(path: Path) -> PublicValidator:
    """Read a file that `coc keys new` wrote.

    Raises:
        ValidatorFileUnfit: it cannot be read, or is something else.
    """
    try:
        text = read_bounded(path, KEYSTORE_FILE_BYTES_MAX)
        members = decode_json(text, name="validator file", bytes_max=KEYSTORE_FILE_BYTES_MAX)
    except KeystoreFailed as error:
        raise _unfit(path, error.why) from error
    except JsonInvalid as error:
        raise _unfit(path, f"{error.what}: {error.why}" if error.why else error.what) from error
    if not isinstance(members, dict) or set(members) != set(_MEMBERS):
        raise _unfit(path, f"its members are not {', '.join(_MEMBERS)}")
    try:
        read = PublicValidator(
            parse_fixed(_text(members, "consensusKey"), PUBLIC_KEY_BYTES),
            parse_fixed(_text(members, "networkKey"), PUBLIC_KEY_BYTES),
            parse_checked(_text(members, "feeRecipient")),
            parse_checked(_text(members, "operator")),
        )
        id_ = parse_checked(_text(members, "id"))
    except HexInvalid as error:
        raise _unfit(path, f"{error.what}, {error.why}") from error
    if id_ != read.id:
        raise _unfit(path, "its id is not the address of its consensusKey")
    return read


def write_validator_file(path: Path, public: PublicValidator) -> None:
    """Write a new file durably; an existing one is never overwritten.

    Raises:
        ValidatorFileUnfit: it is there already, or cannot be written.
    """
    try:
        with path.open("x", encoding="ascii") as file:
            file.write(json.dumps(public.json(), indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ValidatorFileUnfit(
            f"{path} cannot be written", why=error.strerror or str(error), cure="choose another --data folder"
        ) from error


def _text(members: Mapping[str, Json], name: str) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise HexInvalid(f"{name} is not text", quoted(value), "write it as 0x and hex digits")
    return value


def _unfit(path: Path, why: str) -> ValidatorFileUnfit:
    return ValidatorFileUnfit(
        f"{path} does not name a validator", why=why, cure="give the validator.json that `coc keys new` wrote"
    )
