"""`coc genesis`: the one file that a network begins with, made from the public files of its validators.

The registry's storage in it is what running the contracts' constructors leaves, so the file is long; what
matters of it is short, and is printed with the hash that every machine must come to.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from coc.cli.exits import told
from coc.cli.genesis_engines import refuse_choices_of_others
from coc.primitives.errors import CliError
from coc.primitives.frozen import frozen
from coc.primitives.limits import (
    BFT_TIMEOUT_MS_MAX,
    BLOCK_INTERVAL_SECONDS_MAX,
    GENESIS_VALIDATORS_MAX,
)
from coc.primitives.limits_rotation import FINAL_DEPTH_BLOCKS_DEFAULT, FINAL_DEPTH_BLOCKS_MAX

if TYPE_CHECKING:
    from coc.adapters.validator_file import PublicValidator
    from coc.contracts.registry_parameters import RegistryParameters
    from coc.execution.network_genesis import NetworkGenesis
    from coc.primitives.types import Address, Hash32, Wei

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_UINT63 = 2**63 - 1
_MILLISECONDS = click.IntRange(1, BFT_TIMEOUT_MS_MAX)
_COUNT = click.IntRange(1, _UINT63)


@frozen
class GenesisOptions:
    """What was typed; amounts as text, in ether where no unit stands behind them."""

    validator_files: tuple[Path, ...]
    validators_dir: Path | None
    engine: str
    final_depth: int
    chain_id: int
    block_time: int
    gas_limit: int
    timestamp: int | None
    fund: tuple[str, ...]
    propose_ms: int
    vote_ms: int
    delta_ms: int
    cap_ms: int
    resend_ms: int
    clock_tolerance: int
    period_blocks: int
    stake: str
    stake_min: str
    power_unit: str
    slash: str
    unbonding_blocks: int
    unbonding_seconds: int
    validators_max: int
    out: Path
    as_json: bool


@click.group()
def command() -> None:
    """Make the genesis file of a network."""


@command.command()
@click.option(
    "--validator",
    "validator_files",
    multiple=True,
    type=_FILE,
    help="A validator's `validator.json`. Give one for each; their order is that of proposing.",
)
@click.option(
    "--validators-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of such files, taken in order of name.",
)
@click.option(
    "--engine",
    type=click.Choice(["bft", "rotation"]),
    default="bft",
    show_default=True,
    help="Whether validators agree on each block, which then is final, or take turns.",
)
@click.option(
    "--final-depth",
    default=FINAL_DEPTH_BLOCKS_DEFAULT,
    show_default=True,
    type=click.IntRange(1, FINAL_DEPTH_BLOCKS_MAX),
    help="With the engine rotation: blocks above a block that make it final.",
)
@click.option("--chain-id", required=True, type=_COUNT, help="Chain id, which no other network should have.")
@click.option(
    "--block-time",
    default=1,
    show_default=True,
    type=click.IntRange(1, BLOCK_INTERVAL_SECONDS_MAX),
    help="Whole seconds between blocks.",
)
@click.option(
    "--gas-limit",
    default=60_000_000,
    show_default=True,
    type=click.IntRange(5_000, _UINT63),
    help="Gas limit of a block.",
)
@click.option(
    "--timestamp",
    type=click.IntRange(0, _UINT63),
    help="Time of the genesis block in seconds since 1970; now without it.",
)
@click.option(
    "--fund",
    multiple=True,
    metavar="ADDRESS[=AMOUNT]",
    help="Account that starts with coins: an amount in ether, 10,000 without one. May repeat.",
)
@click.option(
    "--propose-ms", default=1_000, show_default=True, type=_MILLISECONDS, help="Wait for a proposal."
)
@click.option("--vote-ms", default=500, show_default=True, type=_MILLISECONDS, help="Wait for votes.")
@click.option("--delta-ms", default=250, show_default=True, type=_MILLISECONDS, help="Longer each round by.")
@click.option("--cap-ms", default=10_000, show_default=True, type=_MILLISECONDS, help="Longest wait.")
@click.option(
    "--resend-ms",
    default=500,
    show_default=True,
    type=_MILLISECONDS,
    help="Between two re-sendings of votes.",
)
@click.option(
    "--clock-tolerance",
    default=5,
    show_default=True,
    type=_MILLISECONDS,
    help="Seconds that a block may be ahead of a validator's clock.",
)
@click.option(
    "--period-blocks",
    default=100,
    show_default=True,
    type=click.IntRange(2, _UINT63),
    help="Blocks of a set period; a change of the set counts from the period after next.",
)
@click.option("--stake", default="32", show_default=True, help="Stake of each validator, in ether.")
@click.option("--stake-min", default="32", show_default=True, help="Least stake of who joins, in ether.")
@click.option(
    "--power-unit", default="1", show_default=True, help="Stake that is worth a power of 1, in ether."
)
@click.option("--slash", default="16", show_default=True, help="What signing twice costs, in ether.")
@click.option(
    "--unbonding-blocks",
    default=10_000,
    show_default=True,
    type=_COUNT,
    help="Blocks that a stake stays locked after its power has ended.",
)
@click.option(
    "--unbonding-seconds",
    default=14 * 24 * 3600,
    show_default=True,
    type=_COUNT,
    help="Seconds of the same; whoever joins trusts nothing older than two thirds of it.",
)
@click.option(
    "--validators-max",
    default=GENESIS_VALIDATORS_MAX,
    show_default=True,
    type=click.IntRange(1, GENESIS_VALIDATORS_MAX),
    help="Most validators at a time.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; an existing one is refused.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def new(**options: object) -> None:
    """Make a genesis file of a network from the public files of its validators.

    Validators that take turns hold no stake, and their set is fixed: timeouts, periods and stakes are for the
    engine bft only. Every choice is a rule of the chain from then on. The same files and choices, timestamp
    included, give the same hash on every machine.
    """
    chosen = GenesisOptions(**options)  # type: ignore[arg-type]  # click has checked the types
    refuse_choices_of_others(chosen.engine)
    if bool(chosen.validator_files) == (chosen.validators_dir is not None):
        raise click.UsageError("give the validators by --validator FILE, or by --validators-dir DIR")
    with told():
        validators = _validators(chosen)
        made, genesis_hash = _made(_text(chosen, validators))
        _write_new(chosen.out, made)
    facts = {
        "out": str(chosen.out),
        "chainId": chosen.chain_id,
        "genesisHash": f"0x{genesis_hash.hex()}",
        "validators": [public.json()["id"] for public in validators],
    }
    click.echo(json.dumps(facts) if chosen.as_json else _sheet(chosen, validators, genesis_hash))


def _text(chosen: GenesisOptions, validators: Sequence[PublicValidator]) -> bytes:
    """The file's text, `extraData` still empty."""
    from coc.adapters.constructor_runner import run_constructor
    from coc.execution.network_genesis import RotationGenesis, network_genesis, rotation_genesis
    from coc.primitives.validators import Validator

    if chosen.engine == "bft":
        return network_genesis(_network(chosen, validators), run_constructor)
    entries = [
        Validator(each.id, each.network_key, each.consensus_key, 1, each.fee_recipient) for each in validators
    ]
    return rotation_genesis(
        RotationGenesis(
            entries,
            _balances(chosen.fund),
            chosen.chain_id,
            chosen.gas_limit,
            chosen.block_time,
            _timestamp(chosen),
            chosen.final_depth,
        )
    )


def _timestamp(chosen: GenesisOptions) -> int:
    return int(time.time()) if chosen.timestamp is None else chosen.timestamp


def _validators(chosen: GenesisOptions) -> list[PublicValidator]:
    """The validators in their order, each once."""
    from coc.adapters.validator_file import read_validator_file

    paths: Sequence[Path] = chosen.validator_files
    if chosen.validators_dir is not None:
        paths = sorted(chosen.validators_dir.glob("*.json"))
        if not paths:
            raise CliError(
                f"{chosen.validators_dir} holds no validators",
                why="there is no .json file in it",
                cure="put the validator.json of each there, under a name of its own",
            )
    read: list[PublicValidator] = []
    seen: dict[bytes, Path] = {}
    for path in paths:
        public = read_validator_file(path)
        for key in (public.consensus_key, public.network_key):
            if key in seen:
                raise CliError(
                    "a validator's keys are there twice",
                    why=f"{path} shares a key with {seen[key]}",
                    cure="give each validator's file once; two machines never share a key",
                )
        seen |= dict.fromkeys((public.consensus_key, public.network_key), path)
        read.append(public)
    return read


def _network(chosen: GenesisOptions, validators: Sequence[PublicValidator]) -> NetworkGenesis:
    from coc.contracts.genesis_alloc import Founder
    from coc.execution.genesis_bft import BftParameters, bft_parameters
    from coc.execution.network_genesis import NetworkGenesis
    from coc.primitives.validators import Validator

    registry = _registry(chosen, len(validators))
    stake_wei = _ether(chosen.stake)
    if stake_wei < registry.stake_min_wei:
        raise CliError("--stake is below --stake-min", cure="raise the one, or lower the other")
    bft = BftParameters(
        chosen.propose_ms,
        chosen.vote_ms,
        chosen.delta_ms,
        chosen.cap_ms,
        chosen.resend_ms,
        chosen.clock_tolerance,
    )
    bft_parameters({"bft": bft.json()})
    power = stake_wei // registry.power_unit_wei
    founders = [
        Founder(
            Validator(each.id, each.network_key, each.consensus_key, power, each.fee_recipient),
            each.operator,
            stake_wei,
        )
        for each in validators
    ]
    return NetworkGenesis(
        founders,
        registry,
        _balances(chosen.fund),
        chosen.chain_id,
        chosen.gas_limit,
        chosen.block_time,
        _timestamp(chosen),
        bft,
    )


def _registry(chosen: GenesisOptions, validator_count: int) -> RegistryParameters:
    from coc.contracts.registry_parameters import RegistryParameters
    from coc.execution.genesis_registry import registry_parameters

    parameters = RegistryParameters(
        chosen.period_blocks,
        _ether(chosen.stake_min),
        _ether(chosen.power_unit),
        _ether(chosen.slash),
        chosen.unbonding_blocks,
        chosen.unbonding_seconds,
        chosen.validators_max,
    )
    registry_parameters({"validatorRegistry": parameters.json()}, validator_count)
    return parameters


def _balances(fund: Sequence[str]) -> Mapping[Address, Wei]:
    from coc.execution.network_genesis import FUNDED_WEI, SYSTEM_ADDRESSES
    from coc.primitives.checksum import parse_checked

    balances: dict[Address, Wei] = {}
    for text in fund:
        typed, _, amount = text.partition("=")
        address = parse_checked(typed)
        if address in SYSTEM_ADDRESSES:
            raise CliError(f"{typed} is a system contract", cure="fund an account of your own")
        balances[address] = _ether(amount) if amount else FUNDED_WEI
    return balances


def _ether(text: str) -> Wei:
    from coc.primitives.units import parse_amount

    return parse_amount(text, "ether")


def _made(text: bytes) -> tuple[bytes, Hash32]:
    """The text, and the hash that every node will come to: by making the chain in memory, as they do."""
    from coc.adapters.chain_port import closing, open_chain
    from coc.execution.genesis import read_genesis
    from coc.primitives.types import Hash32

    genesis = read_genesis(text)
    with closing(open_chain(genesis.text, None, {})) as chain:
        return genesis.text, Hash32(chain.genesis_hash)


def _write_new(path: Path, text: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise CliError(
            f"{path} is there already",
            why="a genesis that somebody may have used is never overwritten",
            cure="choose another --out",
        ) from error
    except OSError as error:
        raise CliError(
            f"{path} cannot be written", why=error.strerror or str(error), cure="check path and permissions"
        ) from error


def _sheet(chosen: GenesisOptions, validators: Sequence[PublicValidator], genesis_hash: Hash32) -> str:
    rows = [f"  {number}  {each.json()['id']}" for number, each in enumerate(validators, 1)]
    blocks = f"chain id {chosen.chain_id}, a block every {chosen.block_time} s"
    stakes = f"{len(validators)} validators with a stake of {chosen.stake} ether each"
    if chosen.engine == "rotation":
        stakes = f"{len(validators)} validators in turn, final {chosen.final_depth} blocks later"
    return "\n".join(
        [
            f"{chosen.out}: {blocks}, {stakes}",
            *rows,
            f"genesis hash 0x{genesis_hash.hex()}",
            f"→ on every machine: coc init --data DIR --genesis {chosen.out.name}",
        ]
    )
