"""`coc keys`: the three keys of a validator, made in its data folder; what is printed of them is public.

| key | what it does | where |
|---|---|---|
| network | proves a node's identity to its peers | `keys/network.key`, plain |
| consensus | proposes and votes; stake stands behind it | `keys/consensus.key`, under a password |
| fee recipient | is paid the tips of the blocks it proposes | anywhere: only its address is needed |
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from coc.cli.exits import told

if TYPE_CHECKING:
    from coc.adapters.validator_file import PublicValidator
    from coc.adapters.validator_keys import Protection
    from coc.primitives.types import Address

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Make and show the keys of a validator."""


@command.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the node: a new one, or one that follows a chain already.",
)
@click.option(
    "--fee-recipient", help="Address that is paid the tips. Without it a key is made in the keystore."
)
@click.option(
    "--operator", help="Account that holds the stake in a genesis. Without it the fee recipient operates."
)
@click.option(
    "--password-file", type=_FILE, help="File whose first line is the password; asked for without it."
)
@click.option("--insecure", is_flag=True, help="No password: whoever reads the files can vote with the key.")
@click.option("--light", is_flag=True, help="Cheaper encryption: 4 MiB instead of 256 MiB to open it.")
@click.option(
    "--keystore",
    type=click.Path(file_okay=False, path_type=Path),
    default="~/.coc/keystore",
    envvar="COC_KEYSTORE",
    show_default=True,
    show_envvar=True,
    help="Folder for the fee recipient's key file.",
)
@_json_option
def new(
    *,
    data: Path,
    fee_recipient: str | None,
    operator: str | None,
    password_file: Path | None,
    insecure: bool,
    light: bool,
    keystore: Path,
    as_json: bool,
) -> None:
    """Make the keys of a validator, and the file of their public halves.

    That file, `keys/validator.json` in the data folder, is what `coc genesis new` takes. No key is
    overwritten.
    """
    if insecure and (password_file is not None or light):
        raise click.UsageError("--insecure uses no password; leave --password-file and --light out")
    from coc.adapters.validator_keys import Owners, make_validator_keys

    with told():
        owners = Owners(_address(fee_recipient), _address(operator))
        protection = None if insecure else _protection(password_file, keystore, light=light)
        made = make_validator_keys(data, owners, protection)
    if as_json:
        click.echo(json.dumps(_facts(data, made.public, made.fee_recipient_path)))
        return
    click.echo(_sheet(data, made.public))
    if made.fee_recipient_path is not None:
        click.echo(f"the fee recipient's key is in {made.fee_recipient_path}")
    if insecure:
        click.echo("the consensus key lies in plain text: keep the folder to yourself")


@command.command()
@click.option(
    "--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the node."
)
@_json_option
def show(*, data: Path, as_json: bool) -> None:
    """Show the public keys of a node's folder, and check that its secret keys are theirs."""
    from coc.adapters.validator_keys import shown_validator_keys

    with told():
        public = shown_validator_keys(data)
    click.echo(json.dumps(_facts(data, public, None)) if as_json else _sheet(data, public))


def _address(text: str | None) -> Address | None:
    from coc.primitives.checksum import parse_checked

    return None if text is None else parse_checked(text)


def _protection(password_file: Path | None, keystore: Path, *, light: bool) -> Protection:
    from coc.adapters.keystore import Keystore
    from coc.adapters.validator_keys import Protection
    from coc.cli.passwords import new_password
    from coc.primitives.keystore import LIGHT_COST, STANDARD_COST

    cost = LIGHT_COST if light else STANDARD_COST
    return Protection(new_password(password_file), cost, Keystore(keystore.expanduser()))


def _facts(data: Path, public: PublicValidator, fee_recipient_path: Path | None) -> dict[str, str]:
    from coc.adapters.node_keys import KEYS_FOLDER
    from coc.adapters.validator_file import VALIDATOR_FILE
    from coc.wire.identity import peer_id_of

    facts = public.json() | {
        "peerId": f"0x{peer_id_of(public.network_key).hex()}",
        "file": str(data / KEYS_FOLDER / VALIDATOR_FILE),
    }
    return facts if fee_recipient_path is None else facts | {"feeRecipientKey": str(fee_recipient_path)}


def _sheet(data: Path, public: PublicValidator) -> str:
    facts = _facts(data, public, None)
    rows = (
        ("validator", facts["id"]),
        ("consensus key", facts["consensusKey"]),
        ("network key", facts["networkKey"]),
        ("peer id", facts["peerId"]),
        ("fee recipient", facts["feeRecipient"]),
        ("operator", facts["operator"]),
        ("public file", facts["file"]),
    )
    return "\n".join(f"{name:<14} {value}" for name, value in rows)
