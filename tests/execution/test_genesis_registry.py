"""The section `validatorRegistry` of a genesis file: every member there, in range, and the contracts too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coc.contracts.addresses import EQUIVOCATION_DETECTOR, INSURANCE_FUND, VALIDATOR_REGISTRY
from coc.contracts.registry_parameters import PERIOD_BLOCKS_MIN, RegistryParameters
from coc.execution.genesis import read_genesis
from coc.execution.genesis_fields import GenesisInvalid
from coc.primitives.limits import GENESIS_VALIDATORS_MAX
from coc.primitives.types import UINT64_MAX
from tests.contracts.founded import SMALL, genesis_json

FILE = json.dumps(genesis_json(2))


def read_with(**changes: Any) -> RegistryParameters | None:
    """The section as read, with members set, or left out with `None`."""
    root = json.loads(FILE)
    section = root["config"]["coc"]["validatorRegistry"]
    for name, value in changes.items():
        section[name] = value
        if value is None:
            del section[name]
    rules = read_genesis(json.dumps(root).encode()).coc
    assert rules is not None
    return rules.registry


def test_the_section_is_read_as_it_was_written() -> None:  # SET-23
    assert read_with() == SMALL


def test_a_genesis_without_the_section_keeps_its_validators_for_ever() -> None:
    root = json.loads(FILE)
    del root["config"]["coc"]["validatorRegistry"]

    rules = read_genesis(json.dumps(root).encode()).coc

    assert rules is not None
    assert rules.registry is None


@pytest.mark.parametrize("name", RegistryParameters().json())
def test_every_member_must_be_there(name: str) -> None:  # SET-23
    with pytest.raises(GenesisInvalid, match=f"config.coc.validatorRegistry.{name}"):
        read_with(**{name: None})


def test_a_member_that_nobody_reads_is_refused() -> None:
    with pytest.raises(GenesisInvalid, match="owner"):
        read_with(owner="0x00")


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("periodBlocks", PERIOD_BLOCKS_MIN, UINT64_MAX),
        ("stakeMinWei", SMALL.power_unit_wei, None),
        ("powerUnitWei", 1, SMALL.stake_min_wei),
        ("slashWei", 1, None),
        ("unbondingBlocks", 1, UINT64_MAX),
        ("unbondingSeconds", 1, UINT64_MAX),
        ("validatorsMax", 2, GENESIS_VALIDATORS_MAX),
    ],
)
def test_a_member_has_a_least_and_a_largest_value(name: str, least: int, most: int | None) -> None:  # SET-23
    for within in (least, most):
        if within is not None:
            read_with(**{name: within})
    for outside in (least - 1, -1, None if most is None else most + 1):
        if outside is not None:
            with pytest.raises(GenesisInvalid):
                read_with(**{name: outside})


def test_the_length_of_a_period_is_a_number_as_the_rust_core_reads_it() -> None:
    with pytest.raises(GenesisInvalid, match="is text"):
        read_with(periodBlocks="4")


def test_genesis_has_no_more_validators_than_a_set_may_have() -> None:  # SET-8
    with pytest.raises(GenesisInvalid, match="genesis has 2 validators"):
        read_with(validatorsMax=1)


@pytest.mark.parametrize("address", [VALIDATOR_REGISTRY, EQUIVOCATION_DETECTOR, INSURANCE_FUND])
@pytest.mark.parametrize("change", ["absent", "code", "nonce"])
def test_a_genesis_without_one_of_the_contracts_is_refused(address: bytes, change: str) -> None:  # SET-23
    root = json.loads(FILE)
    account = f"0x{address.hex()}"
    if change == "absent":
        del root["alloc"][account]
    else:
        del root["alloc"][account][change]

    with pytest.raises(GenesisInvalid, match=account):
        read_genesis(json.dumps(root).encode())
