"""`coc validator`: join and leave the set of a network by transactions, and see how a validator stands.

Every transaction goes to the ValidatorRegistry through a node's RPC and is signed here; a key never leaves
this machine. The account that sends the stake operates the validator from then on.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from coc.cli import sign_again
from coc.cli.exits import told
from coc.primitives.errors import CliError
from coc.primitives.frozen import frozen

if TYPE_CHECKING:
    from coc.adapters.registry_desk import Included, Moment, RegistryDesk
    from coc.contracts.registry_status import RegistryStatus
    from coc.primitives.secp256k1 import Secret
    from coc.primitives.types import Address

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)

_rpc_option = click.option(
    "--rpc", default="http://127.0.0.1:8545", show_default=True, help="RPC of a node of the network."
)
_key_option = click.option(
    "--key", required=True, type=_FILE, help="Key of the operator: a key file, or 64 hex digits."
)
_password_option = click.option(
    "--password-file", type=_FILE, help="File whose first line opens it; asked for without it."
)
_data_option = click.option(
    "--data", type=_FOLDER, help="Folder of the validator's node, instead of its ADDRESS."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def command() -> None:
    """Join and leave a network's validators, and see how one stands."""


command.add_command(sign_again.command)


@command.command()
@click.option("--data", required=True, type=_FOLDER, help="Folder of the node with the validator's keys.")
@_rpc_option
@_key_option
@_password_option
@click.option("--stake", help="Stake in ether; the least that the network takes without it.")
@click.option("--consensus-password-file", type=_FILE, help="File whose first line opens the consensus key.")
@_json_option
def join(
    *,
    data: Path,
    rpc: str,
    key: Path,
    password_file: Path | None,
    stake: str | None,
    consensus_password_file: Path | None,
    as_json: bool,
) -> None:
    """Register a validator: its stake is sent, and its consensus key proves that it may be registered."""
    from coc.contracts.operator_calls import register_call, registration_digest
    from coc.contracts.registry_status import first_height_of_change
    from coc.primitives.secp256k1 import address_of, sign
    from coc.primitives.units import format_amount, parse_amount
    from coc.primitives.validators import Validator

    with told():
        keys = _validator_keys(data, consensus_password_file)
        operator = _read_key(key, password_file)
        desk = _desk(rpc)
        period_blocks = desk.period_blocks()
        stake_wei = desk.stake_min() if stake is None else parse_amount(stake, "ether")
        digest = registration_digest(
            desk.chain_id(), address_of(operator), keys.network_key, keys.fee_recipient
        )
        entry = Validator(keys.id, keys.network_key, keys.consensus_key, 0, keys.fee_recipient)
        included = desk.transact(operator, register_call(entry, sign(keys.secret, digest)), stake_wei)
        first = first_height_of_change(included.height, period_blocks)
    facts = _facts(keys.id, included) | {
        "operator": _text(address_of(operator)),
        "stakeWei": hex(stake_wei),
        "firstBlock": first,
    }
    sentence = (
        f"{facts['validator']} has joined with {format_amount(stake_wei)}: it votes from block {first:,} on"
    )
    click.echo(json.dumps(facts) if as_json else sentence)


@command.command("exit")
@click.argument("address", required=False)
@_data_option
@_rpc_option
@_key_option
@_password_option
@_json_option
def exit_(
    *,
    address: str | None,
    data: Path | None,
    rpc: str,
    key: Path,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Ask to leave, for good. The stake stays locked for the network's unbonding time."""
    from coc.contracts.operator_calls import request_exit_call
    from coc.contracts.registry_status import first_height_of_change
    from coc.primitives.types import Wei

    with told():
        validator = _named(address, data)
        operator = _read_key(key, password_file)
        desk = _desk(rpc)
        period_blocks = desk.period_blocks()
        included = desk.transact(operator, request_exit_call(validator), Wei(0))
        first = first_height_of_change(included.height, period_blocks)
    facts = _facts(validator, included) | {"firstBlockWithoutPower": first}
    sentence = f"{facts['validator']} leaves: let its node run up to block {first - 1:,}, its last to vote on"
    click.echo(json.dumps(facts) if as_json else sentence)


@command.command()
@click.argument("address", required=False)
@_data_option
@_rpc_option
@_key_option
@_password_option
@_json_option
def withdraw(
    *,
    address: str | None,
    data: Path | None,
    rpc: str,
    key: Path,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Take out the stake of a validator that has left, once it is unlocked."""
    from coc.contracts.operator_calls import withdraw_call
    from coc.primitives.types import Wei
    from coc.primitives.units import format_amount

    with told():
        validator = _named(address, data)
        operator = _read_key(key, password_file)
        desk = _desk(rpc)
        desk.period_blocks()
        stake_wei = desk.status(validator, desk.now().height).stake_wei
        included = desk.transact(operator, withdraw_call(validator), Wei(0))
    facts = _facts(validator, included) | {"stakeWei": hex(stake_wei)}
    click.echo(json.dumps(facts) if as_json else f"{format_amount(stake_wei)} are withdrawn")


@command.command()
@click.argument("address", required=False)
@_data_option
@_rpc_option
@_json_option
def status(*, address: str | None, data: Path | None, rpc: str, as_json: bool) -> None:
    """Show how a validator stands; without ADDRESS and --data, everybody who votes now."""
    with told():
        if address is None and data is None:
            rows = _everybody(_desk(rpc))
            click.echo(json.dumps(rows) if as_json else "\n".join(map(_row, rows)))
            return
        validator = _named(address, data)
        facts = _one(_desk(rpc), validator)
    click.echo(json.dumps(facts) if as_json else _sheet(facts))


@frozen
class _Keys:
    """What registers a validator; `secret` is its consensus key."""

    id: Address
    consensus_key: bytes
    network_key: bytes
    fee_recipient: Address
    secret: Secret


def _validator_keys(data: Path, password_file: Path | None) -> _Keys:
    from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER
    from coc.adapters.validator_keys import shown_validator_keys

    public = shown_validator_keys(data)
    secret = _read_key(data / KEYS_FOLDER / CONSENSUS_KEY, password_file)
    return _Keys(public.id, public.consensus_key, public.network_key, public.fee_recipient, secret)


def _read_key(path: Path, password_file: Path | None) -> Secret:
    from coc.cli.validator_key import read_key

    return read_key(path, password_file)


def _desk(rpc: str) -> RegistryDesk:
    from coc.adapters.registry_desk import RegistryDesk
    from coc.adapters.rpc_client import RpcClient

    return RegistryDesk(RpcClient(rpc))


def _named(address: str | None, data: Path | None) -> Address:
    """The validator that is meant."""
    from coc.adapters.validator_keys import shown_validator_keys
    from coc.primitives.checksum import parse_checked

    if (address is None) == (data is None):
        raise click.UsageError("name the validator by its ADDRESS, or by the --data folder of its node")
    return parse_checked(address) if address is not None else shown_validator_keys(data or Path()).id


def _text(address: Address) -> str:
    from coc.primitives.checksum import format_checked

    return format_checked(address)


def _facts(validator: Address, included: Included) -> dict[str, Any]:
    return {
        "validator": _text(validator),
        "transaction": f"0x{included.transaction.hex()}",
        "block": included.height,
    }


# ── How a validator stands ──────────────────────────────────────────────────────────────────────────────────


def _one(desk: RegistryDesk, validator: Address) -> dict[str, Any]:
    period_blocks = desk.period_blocks()
    now = desk.now()
    found = desk.status(validator, now.height)
    if not found.is_known:
        raise CliError(
            f"the registry knows no validator {_text(validator)}",
            why="it never joined, or has withdrawn",
            cure="register it with `coc validator join`",
        )
    powers = {each.id: each.power for each in desk.current_set(now.height)}
    return {
        "validator": _text(validator),
        "state": _state(found, now, has_power=validator in powers),
        "power": powers.get(validator, 0),
        "stakeWei": hex(found.stake_wei),
        "operator": _text(found.operator),
        "convictions": found.convictions,
        "firstBlockWithoutPower": found.leaves_from * period_blocks or None,
        "unlockBlock": found.unlock_height or None,
        "unlockTime": found.unlock_time or None,
        "head": now.height,
    }


def _state(found: RegistryStatus, now: Moment, *, has_power: bool) -> str:
    if found.leaves_from == 0:
        return "voting" if has_power else "joining"
    if has_power:
        return "leaving"
    unlocked = found.unlock_time and now.height >= found.unlock_height and now.time >= found.unlock_time
    return "unlocked" if unlocked else "locked"


def _everybody(desk: RegistryDesk) -> list[dict[str, Any]]:
    desk.period_blocks()
    now = desk.now()
    return [
        {
            "validator": _text(each.id),
            "power": each.power,
            "feeRecipient": _text(each.fee_recipient),
            "head": now.height,
        }
        for each in desk.current_set(now.height)
    ]


def _row(facts: dict[str, Any]) -> str:
    return f"{facts['validator']}  power {facts['power']:,}"


def _sheet(facts: dict[str, Any]) -> str:
    from coc.primitives.types import Wei
    from coc.primitives.units import format_amount

    rows = [
        ("validator", facts["validator"]),
        ("state", facts["state"]),
        ("power", f"{facts['power']:,}"),
        ("stake", format_amount(Wei(int(facts["stakeWei"], 16)))),
        ("operator", facts["operator"]),
    ]
    if facts["convictions"]:
        rows.append(("convicted", f"{facts['convictions']} times for signing twice"))
    if facts["firstBlockWithoutPower"] is not None:
        last = facts["firstBlockWithoutPower"] - 1
        rows.append(("last vote", f"block {last:,}; the head is {facts['head']:,}"))
        rows.append(("unlocks", _unlocking(facts)))
    return "\n".join(f"{name:<10} {value}" for name, value in rows)


def _unlocking(facts: dict[str, Any]) -> str:
    if facts["unlockTime"] is None:
        return f"at block {facts['unlockBlock']:,} at the earliest; the time is set when its power ends"
    when = datetime.fromtimestamp(facts["unlockTime"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"at block {facts['unlockBlock']:,}, and not before {when}"
