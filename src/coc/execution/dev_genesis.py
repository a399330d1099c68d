"""The genesis of a development chain: funded accounts, the newest forks, every predeploy, one validator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from coc.execution.forks import BLOCK_FORKS, MAINNET_BLOBS
from coc.execution.genesis import config_hash
from coc.execution.predeploys import DEPOSITS, SYSTEM_CONTRACTS, Predeploy
from coc.primitives.frozen import frozen
from coc.primitives.strict_json import Json
from coc.primitives.types import Address, Wei
from coc.primitives.units import ETHER, GWEI
from coc.primitives.validators import Validator

DEV_CHAIN_ID: Final = 31_337
"""The chain id that development tools expect."""

DEV_BALANCE: Final = Wei(10_000 * ETHER)
"""What each account starts with, as in other development chains."""

DEV_GAS_LIMIT: Final = 60_000_000
"""Mainnet's; executed well within a second on one core."""

_BASE_FEE: Final = GWEI
_NEVER_ON_NEW_CHAINS: Final = frozenset({"daoForkBlock", "mergeNetsplitBlock"})
_TIME_FORKS_FROM_GENESIS: Final = (
    "shanghaiTime",
    "cancunTime",
    "pragueTime",
    "osakaTime",
    "bpo1Time",
    "bpo2Time",
)


@frozen
class DevGenesis:
    """What may be chosen about a development chain."""

    accounts: Sequence[Address]
    """Funded."""
    validator: Validator
    """The one validator."""
    chain_id: int = DEV_CHAIN_ID
    balance: Wei = DEV_BALANCE
    gas_limit: int = DEV_GAS_LIMIT
    block_interval_s: int = 1
    timestamp: int = 0


def dev_genesis(chosen: DevGenesis) -> bytes:
    """The text of a genesis file of ours; the same choices give the same bytes, hence the same chain."""
    section: dict[str, Json] = {
        "engine": "rotation",
        "validators": [validator_json(chosen.validator)],
        "blockIntervalSeconds": chosen.block_interval_s,
        "gasLimitTarget": chosen.gas_limit,
    }
    config = config_with(chosen.chain_id, section)
    return genesis_text(config, alloc_of(chosen.accounts, chosen.balance), chosen.gas_limit, chosen.timestamp)


def genesis_text(config: dict[str, Json], alloc: dict[str, Json], gas_limit: int, timestamp: int) -> bytes:
    """A genesis file of ours from its parts."""
    root: dict[str, Json] = {
        "config": config,
        "timestamp": hex(timestamp),
        "extraData": f"0x{config_hash(config).hex()}",
        "gasLimit": hex(gas_limit),
        "difficulty": "0x0",
        "baseFeePerGas": hex(_BASE_FEE),
        "alloc": alloc,
    }
    return json.dumps(root, indent=2).encode() + b"\n"


def alloc_of(funded: Sequence[Address], balance: Wei) -> dict[str, Json]:
    """Funded accounts, and the contracts that Ethereum's rules need."""
    alloc: dict[str, Json] = {text_of(address): {"balance": hex(balance)} for address in funded}
    for predeploy in (*SYSTEM_CONTRACTS, DEPOSITS):
        alloc[text_of(predeploy.address)] = _account(predeploy)
    return alloc


def config_with(chain_id: int, section: dict[str, Json]) -> dict[str, Json]:
    """The `config` of a new chain of ours, with the newest forks from genesis on and this `coc` section."""
    config: dict[str, Json] = {"chainId": chain_id}
    config |= {key: 0 for key in BLOCK_FORKS if key not in _NEVER_ON_NEW_CHAINS}
    config["terminalTotalDifficulty"] = 0
    config |= dict.fromkeys(_TIME_FORKS_FROM_GENESIS, 0)
    config["blobSchedule"] = {
        name: {
            "target": blobs.target,
            "max": blobs.max,
            "baseFeeUpdateFraction": blobs.base_fee_update_fraction,
        }
        for name, blobs in MAINNET_BLOBS.items()
    }
    config["depositContractAddress"] = text_of(DEPOSITS.address)
    config["coc"] = section
    return config


def validator_json(validator: Validator) -> dict[str, Json]:
    """A validator as the `coc` section lists it."""
    return {
        "consensusKey": f"0x{validator.consensus_key.hex()}",
        "networkKey": f"0x{validator.network_key.hex()}",
        "feeRecipient": text_of(validator.fee_recipient),
        "power": validator.power,
    }


def text_of(address: Address) -> str:
    """An address as genesis files have it."""
    return f"0x{address.hex()}"


def _account(predeploy: Predeploy) -> dict[str, Json]:
    account: dict[str, Json] = {"nonce": "0x1", "balance": "0x0", "code": f"0x{predeploy.code.hex()}"}
    if predeploy.storage:
        account["storage"] = {
            f"0x{slot:064x}": f"0x{value:064x}" for slot, value in predeploy.storage.items()
        }
    return account
