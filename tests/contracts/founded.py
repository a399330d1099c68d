"""A development genesis whose validators are held by the registry, and questions to its contracts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from coc._native import Chain
from coc.adapters.constructor_runner import run_constructor
from coc.contracts.genesis_alloc import ContractAccount, Founder, system_contracts
from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.dev_genesis import DevGenesis, dev_genesis
from coc.execution.genesis import Genesis, read_genesis
from coc.primitives.keccak import keccak256
from coc.primitives.limits_rpc import RPC_CALL_GAS_MAX
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, secret_of
from coc.primitives.types import Address, Hash32, Wei
from coc.primitives.units import ETHER
from coc.primitives.validators import Validator, ValidatorSet

ARTIFACTS = Path(__file__).resolve().parents[2] / "src" / "coc" / "contracts" / "artifacts"
SMALL = RegistryParameters(period_blocks=4, unbonding_blocks=6, unbonding_s=20, validators_max=5)


def secret(name: str) -> Secret:
    return secret_of(keccak256(name.encode()))


def founder(number: int, stake_wei: int = 40 * ETHER) -> Founder:
    """A founder with keys, recipient and operator of its own."""
    consensus_key = public_key_of(secret(f"consensus {number}"))
    validator = Validator(
        address_of(secret(f"consensus {number}")),
        public_key_of(secret(f"network {number}")),
        consensus_key,
        stake_wei // SMALL.power_unit_wei,
        address_of(secret(f"fees {number}")),
    )
    return Founder(validator, address_of(secret(f"operator {number}")), Wei(stake_wei))


def set_of(founders: Sequence[Founder]) -> ValidatorSet:
    return ValidatorSet(tuple(each.validator for each in founders))


@cache
def accounts_of(count: int, parameters: RegistryParameters = SMALL) -> tuple[ContractAccount, ...]:
    """The three contracts with founders 1 to `count`."""
    return system_contracts(parameters, [founder(number + 1) for number in range(count)], run_constructor)


def genesis_json(count: int, parameters: RegistryParameters = SMALL) -> dict[str, Any]:
    """A genesis file with the section and the accounts; `extraData` is left to the reader."""
    founders = [founder(number + 1) for number in range(count)]
    funded = [address_of(secret(f"operator {number}")) for number in range(1, 7)]
    root: dict[str, Any] = json.loads(dev_genesis(DevGenesis(funded, founders[0].validator)))
    root["config"]["coc"]["validators"] = [listed(each.validator) for each in founders]
    root["config"]["coc"]["validatorRegistry"] = parameters.json()
    root["alloc"] |= {
        f"0x{account.address.hex()}": account.json() for account in accounts_of(count, parameters)
    }
    root["extraData"] = "0x"
    return root


def genesis(count: int, parameters: RegistryParameters = SMALL) -> Genesis:
    return read_genesis(json.dumps(genesis_json(count, parameters)).encode())


def listed(validator: Validator) -> dict[str, Any]:
    return {
        "consensusKey": f"0x{validator.consensus_key.hex()}",
        "networkKey": f"0x{validator.network_key.hex()}",
        "feeRecipient": f"0x{validator.fee_recipient.hex()}",
        "power": validator.power,
    }


def ask(chain: Chain, to: Address, calldata: bytes, block: Hash32 | None = None) -> bytes:
    """What a contract answers on the state of a block, of the head where none is named."""
    request = {"to": f"0x{to.hex()}", "input": f"0x{calldata.hex()}"}
    result = chain.call(block or chain.head.hash, json.dumps(request).encode(), b"", b"", RPC_CALL_GAS_MAX)
    assert result.status == "success", (result.reason, result.output.hex())
    return result.output


def artifact(name: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text())
    return read
