"""The genesis of a network: validators that agree by BFT or take turns, and funded accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from coc.contracts.addresses import EQUIVOCATION_DETECTOR, INSURANCE_FUND, VALIDATOR_REGISTRY
from coc.contracts.genesis_alloc import Founder, RunConstructor, system_contracts
from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.dev_genesis import (
    DEV_GAS_LIMIT,
    alloc_of,
    config_with,
    genesis_text,
    text_of,
    validator_json,
)
from coc.execution.genesis_bft import BftParameters
from coc.execution.predeploys import DEPOSITS, SYSTEM_CONTRACTS
from coc.primitives.frozen import frozen
from coc.primitives.limits_rotation import FINAL_DEPTH_BLOCKS_DEFAULT
from coc.primitives.strict_json import Json
from coc.primitives.types import Address, Wei
from coc.primitives.units import ETHER
from coc.primitives.validators import Validator

FUNDED_WEI: Final = Wei(10_000 * ETHER)
"""What a funded account starts with where nothing else is said, as on other development chains."""

SYSTEM_ADDRESSES: Final = frozenset(
    {each.address for each in (*SYSTEM_CONTRACTS, DEPOSITS)}
    | {VALIDATOR_REGISTRY, EQUIVOCATION_DETECTOR, INSURANCE_FUND}
)
"""Accounts whose coins are what the contracts' constructors were paid, and nothing else."""


@frozen
class NetworkGenesis:
    """What may be chosen about a network; everything is a rule of the chain from then on."""

    founders: Sequence[Founder]
    registry: RegistryParameters
    balances: Mapping[Address, Wei] = field(default_factory=dict)
    """Accounts that start with coins."""
    chain_id: int = 31_337
    gas_limit: int = DEV_GAS_LIMIT
    block_interval_s: int = 1
    timestamp: int = 0
    bft: BftParameters = field(default_factory=BftParameters)


def network_genesis(chosen: NetworkGenesis, run: RunConstructor) -> bytes:
    """The text of the genesis file; the same choices give the same bytes, hence the same chain.

    Raises:
        FoundersInvalid: a validator's power is not what its stake is worth.
    """
    section: dict[str, Json] = {
        "engine": "bft",
        "validators": [validator_json(founder.validator) for founder in chosen.founders],
        "blockIntervalSeconds": chosen.block_interval_s,
        "gasLimitTarget": chosen.gas_limit,
        "bft": chosen.bft.json(),
        "validatorRegistry": chosen.registry.json(),
    }
    alloc: dict[str, Json] = {
        text_of(address): {"balance": hex(balance)} for address, balance in chosen.balances.items()
    }
    alloc |= alloc_of((), Wei(0))
    for account in system_contracts(chosen.registry, chosen.founders, run):
        alloc[text_of(account.address)] = account.json()
    config = config_with(chosen.chain_id, section)
    return genesis_text(config, alloc, chosen.gas_limit, chosen.timestamp)


@frozen
class RotationGenesis:
    """What may be chosen about a network whose validators take turns; they stay for ever."""

    validators: Sequence[Validator]
    balances: Mapping[Address, Wei] = field(default_factory=dict)
    """Accounts that start with coins."""
    chain_id: int = 31_337
    gas_limit: int = DEV_GAS_LIMIT
    block_interval_s: int = 1
    timestamp: int = 0
    final_depth_blocks: int = FINAL_DEPTH_BLOCKS_DEFAULT


def rotation_genesis(chosen: RotationGenesis) -> bytes:
    """The text of the genesis file; the same choices give the same bytes, hence the same chain."""
    section: dict[str, Json] = {
        "engine": "rotation",
        "validators": [validator_json(each) for each in chosen.validators],
        "blockIntervalSeconds": chosen.block_interval_s,
        "gasLimitTarget": chosen.gas_limit,
        "finalDepthBlocks": chosen.final_depth_blocks,
    }
    alloc: dict[str, Json] = {
        text_of(address): {"balance": hex(balance)} for address, balance in chosen.balances.items()
    }
    alloc |= alloc_of((), Wei(0))
    return genesis_text(config_with(chosen.chain_id, section), alloc, chosen.gas_limit, chosen.timestamp)
