"""The `validatorRegistry` part of a genesis file's `coc` section: the rules of a validator set that changes.

A chain without it keeps the validators of genesis for ever. With it, the contracts that hold the set stand in
`alloc` as their constructors left them (SET-23); here the parameters are read and the accounts looked for.
Whether the registry names the same validators as the section is for whoever can run it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coc.contracts.addresses import EQUIVOCATION_DETECTOR, INSURANCE_FUND, VALIDATOR_REGISTRY
from coc.contracts.registry_parameters import PERIOD_BLOCKS_MIN, RegistryParameters
from coc.execution.genesis_fields import (
    bytes_of,
    field_error,
    number_of,
    object_of,
    refuse_unknown,
)
from coc.primitives.limits import GENESIS_VALIDATORS_MAX
from coc.primitives.strict_json import Json
from coc.primitives.types import UINT64_MAX, UINT256_MAX, Address, Wei

_PLACE: Final = "config.coc.validatorRegistry"
_CONTRACTS: Final = {
    VALIDATOR_REGISTRY: "ValidatorRegistry",
    EQUIVOCATION_DETECTOR: "EquivocationDetector",
    INSURANCE_FUND: "InsuranceFund",
}

REGISTRY_CONTRACT_ADDRESSES: Final = tuple(_CONTRACTS)
"""The accounts of genesis that `check_registry_accounts` looks at."""


def registry_parameters(section: Mapping[str, Json], validator_count: int) -> RegistryParameters | None:
    """Read the `validatorRegistry` object of a `coc` section; `None` where there is none.

    Raises:
        GenesisInvalid: a member is missing, unknown or out of its range, or genesis has more validators.
    """
    if section.get("validatorRegistry") is None:
        return None
    given = object_of(section, "validatorRegistry", "config.coc")
    refuse_unknown(given, frozenset(RegistryParameters().json()), _PLACE)
    power_unit_wei = _from(given, "powerUnitWei", 1, UINT256_MAX)
    read = RegistryParameters(
        period_blocks=_period_blocks(given),
        stake_min_wei=Wei(_from(given, "stakeMinWei", power_unit_wei, UINT256_MAX)),
        power_unit_wei=Wei(power_unit_wei),
        slash_wei=Wei(_from(given, "slashWei", 1, UINT256_MAX)),
        unbonding_blocks=_from(given, "unbondingBlocks", 1, UINT64_MAX),
        unbonding_s=_from(given, "unbondingSeconds", 1, UINT64_MAX),
        validators_max=_from(given, "validatorsMax", 1, GENESIS_VALIDATORS_MAX),
    )
    if validator_count > read.validators_max:
        raise field_error(
            f"{_PLACE}.validatorsMax",
            f"is {read.validators_max}, and genesis has {validator_count} validators",
            "raise it, or begin with fewer",
        )
    return read


def check_registry_accounts(accounts: Mapping[Address, Mapping[str, Json]]) -> None:
    """The contracts are there.

    Raises:
        GenesisInvalid: one of them is not, or not as a constructor left it.
    """
    for address, name in _CONTRACTS.items():
        place = f"alloc.0x{address.hex()}"
        account = accounts.get(address, {})
        if not bytes_of(account, "code", place) or number_of(account, "nonce", UINT64_MAX, place, 0) != 1:
            raise field_error(
                place,
                f"does not hold the contract {name} with nonce 1",
                "the section validatorRegistry needs it; make the genesis anew, or leave the section out",
            )


def _from(given: Mapping[str, Json], name: str, minimum: int, maximum: int) -> int:
    value = number_of(given, name, maximum, _PLACE)
    if value < minimum:
        raise field_error(f"{_PLACE}.{name}", f"is {value}", f"write at least {minimum}")
    return value


def _period_blocks(given: Mapping[str, Json]) -> int:
    """A JSON number, not text: the Rust core reads this one too, and the two must not differ."""
    blocks = _from(given, "periodBlocks", PERIOD_BLOCKS_MIN, UINT64_MAX)
    if given["periodBlocks"] != blocks:
        raise field_error(f"{_PLACE}.periodBlocks", "is text", f"write it as a number: {blocks}")
    return blocks
