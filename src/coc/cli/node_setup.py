"""From what was typed to how a node is run: which genesis, whose keys, when blocks are made."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from coc.adapters.chain_port import ARCHIVE
from coc.adapters.data_folder import refuse_strangers
from coc.adapters.http.policy import AccessRules
from coc.adapters.kept_genesis import kept_genesis
from coc.adapters.live_node import HttpChoices, NodeChoices, SealingChoices
from coc.cli.chain_folder import read_genesis_file
from coc.consensus.rotation.engine import Sealing
from coc.execution.dev_genesis import DEV_GAS_LIMIT, DevGenesis, dev_genesis
from coc.execution.genesis import Genesis, read_genesis
from coc.primitives.errors import CliError
from coc.primitives.mnemonic import dev_secrets
from coc.primitives.secp256k1 import Secret, address_of, public_key_of
from coc.primitives.validators import Validator


class DevOptions(Protocol):
    """The choices that make a development node; see `coc up --help`."""

    host: str
    port: int
    data: Path | None
    block_time: float
    instant: bool
    manual: bool
    chain_id: int
    gas_limit: int | None
    accounts: int
    mnemonic: str
    genesis: Path | None
    archive: bool


def node_choices(options: DevOptions) -> NodeChoices:
    """How to run the development node that was asked for.

    Raises:
        CocError: mnemonic or genesis file do not fit, with the cure.
    """
    secrets = dev_secrets(options.mnemonic, options.accounts)
    genesis = _genesis(options, secrets)
    rules = genesis.coc
    if rules is None:
        place = options.data or "DIR"
        raise CliError(
            "this genesis has no `coc` section: it is an Ethereum chain, on which nothing is sealed",
            cure=f"fill a folder with `coc init` and `coc import`, and serve it: `coc node --data {place}`",
        )
    own = public_key_of(secrets[0])
    if [validator.consensus_key for validator in rules.validators.validators] != [own]:
        raise CliError(
            "the validator of this chain is not the first account of the mnemonic",
            cure="start it with the `--mnemonic` it was made with, or choose another `--data` folder",
        )
    return NodeChoices(
        genesis=genesis,
        folder=options.data,
        http=HttpChoices(options.host, options.port, AccessRules(origins=frozenset({"*"}))),
        sealing=SealingChoices(secrets[0], rules, _sealing(options), round(options.block_time * 1000)),
        accounts=secrets,
        chain_options=dict(ARCHIVE) if options.archive else {},
    )


def _sealing(options: DevOptions) -> Sealing:
    if options.instant:
        return Sealing.INSTANT
    return Sealing.MANUAL if options.manual else Sealing.INTERVAL


def _genesis(options: DevOptions, secrets: list[Secret]) -> Genesis:
    """The genesis given, the one in the folder, or a new one."""
    if options.genesis is not None:
        return read_genesis_file(options.genesis, options.data)
    if options.data is not None:
        refuse_strangers(options.data)
        kept = kept_genesis(options.data)
        if kept is not None:
            return kept
    return read_genesis(dev_genesis(_dev_genesis(options, secrets)))


def _dev_genesis(options: DevOptions, secrets: list[Secret]) -> DevGenesis:
    key = public_key_of(secrets[0])
    validator = Validator(address_of(secrets[0]), key, key, 1, address_of(secrets[0]))
    return DevGenesis(
        accounts=[address_of(secret) for secret in secrets],
        validator=validator,
        chain_id=options.chain_id,
        gas_limit=options.gas_limit or DEV_GAS_LIMIT,
        block_interval_s=max(1, round(options.block_time)),
        timestamp=int(time.time()),
    )
