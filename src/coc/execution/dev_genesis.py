"""The genesis of a development chain: funded accounts, the newest forks, every predeploy, one validator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coc.execution.forks import BLOCK_FORKS, MAINNET_BLOBS
from coc.execution.genesis import config_hash
from coc.execution.predeploys import DEPOSITS, SYSTEM_CONTRACTS, Predeploy
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


@dataclass(frozen=True, slots=True)
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
    config = _config(chosen)
    alloc: dict[str, Json] = {_text(address): {"balance": hex(chosen.balance)} for address in chosen.accounts}
    for predeploy in (*SYSTEM_CONTRACTS, DEPOSITS):
        alloc[_text(predeploy.address)] = _account(predeploy)
    root: dict[str, Json] = {
        "config": config,
        "timestamp": hex(chosen.timestamp),
        "extraData": f"0x{config_hash(config).hex()}",
        "gasLimit": hex(chosen.gas_limit),
        "difficulty": "0x0",
        "baseFeePerGas": hex(_BASE_FEE),
        "alloc": alloc,
    }
    return json.dumps(root, indent=2).encode() + b"\n"


def _config(chosen: DevGenesis) -> dict[str, Json]:
    config: dict[str, Json] = {"chainId": chosen.chain_id}
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
    config["depositContractAddress"] = _text(DEPOSITS.address)
    config["coc"] = {
        "engine": "rotation",
        "validators": [
            {
                "consensusKey": f"0x{chosen.validator.consensus_key.hex()}",
                "networkKey": f"0x{chosen.validator.network_key.hex()}",
                "feeRecipient": _text(chosen.validator.fee_recipient),
                "power": chosen.validator.power,
            }
        ],
        "blockIntervalSeconds": chosen.block_interval_s,
        "gasLimitTarget": chosen.gas_limit,
    }
    return config


def _account(predeploy: Predeploy) -> dict[str, Json]:
    account: dict[str, Json] = {"nonce": "0x1", "balance": "0x0", "code": f"0x{predeploy.code.hex()}"}
    if predeploy.storage:
        account["storage"] = {
            f"0x{slot:064x}": f"0x{value:064x}" for slot, value in predeploy.storage.items()
        }
    return account


def _text(address: Address) -> str:
    return f"0x{address.hex()}"
