"""Runs a contract's constructor on the EVM, as the transaction that creates it would.

The EVM is handed in: the native transition from (alloc, environment, transactions) to (alloc, result, body).
The world is empty but for a sender with the coins that the contract is given, gas is free, and there is no
block around it: what a constructor leaves depends on its arguments alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

import msgspec

from coc.contracts.genesis_alloc import RunConstructor
from coc.primitives import rlp
from coc.primitives.errors import NodeError
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import address_of, secret_of
from coc.primitives.types import Address, Wei

CONSTRUCTOR_GAS: Final = 100_000_000
"""Enough for a registry with 128 founders, which takes 30 million; a genesis is no block."""

Transition: TypeAlias = Callable[
    [bytes, bytes, bytes, str, int, int, bool, str | None], tuple[bytes, bytes, bytes]
]
"""The native function `evm_transition`."""

_FORK: Final = "Prague"
"""Chains of ours begin with it; later forks bound the gas of a transaction, which this is not."""
_CHAIN_ID: Final = 1
_NO_REWARD: Final = -1

_SENDER_SECRET: Final = secret_of(keccak256(b"COC/constructor/1"))
"""Anybody may know it: its account exists in a world of its own, and only while a constructor runs."""


class ConstructorFailed(NodeError):
    """A constructor refused its arguments."""

    id: ClassVar[str] = "COC-CONSTRUCTOR"


def constructor_runner(transition: Transition) -> RunConstructor:
    """A function that runs creation code with some coins: the runtime code and storage that it leaves.

    It raises `ConstructorFailed` where the constructor reverts or runs out of gas.
    """
    return lambda creation, value_wei: _run(transition, creation, value_wei)


def _run(transition: Transition, creation: bytes, value_wei: Wei) -> tuple[bytes, Mapping[int, int]]:
    sender = address_of(_SENDER_SECRET)
    alloc, result, _ = transition(
        msgspec.json.encode({_text(sender): {"balance": hex(value_wei)}}),
        msgspec.json.encode(_environment()),
        msgspec.json.encode([_creation(creation, value_wei)]),
        _FORK,
        _CHAIN_ID,
        _NO_REWARD,
        True,
        None,
    )
    outcome = msgspec.json.decode(result)
    created: dict[str, Any] = msgspec.json.decode(alloc).get(_text(_first_contract_of(sender)), {})
    if outcome.get("rejected") or not created.get("code"):
        why = outcome["rejected"][0]["error"] if outcome.get("rejected") else "the constructor reverted"
        raise ConstructorFailed(
            "a system contract cannot be created from what genesis says",
            why=why,
            cure="check the section validatorRegistry and the founders' stakes and keys",
        )
    storage = {int(slot, 16): int(value, 16) for slot, value in created.get("storage", {}).items()}
    return bytes.fromhex(created["code"][2:]), storage


def _environment() -> dict[str, str]:
    return {
        "currentCoinbase": f"0x{bytes(20).hex()}",
        "currentGasLimit": hex(CONSTRUCTOR_GAS),
        "currentNumber": "0x1",
        "currentTimestamp": "0x1",
        "currentRandom": f"0x{bytes(32).hex()}",
        "currentBaseFee": "0x0",
    }


def _creation(creation: bytes, value_wei: Wei) -> dict[str, str]:
    return {
        "type": "0x0",
        "nonce": "0x0",
        "gas": hex(CONSTRUCTOR_GAS),
        "gasPrice": "0x0",
        "value": hex(value_wei),
        "input": f"0x{creation.hex()}",
        "v": "0x0",
        "r": "0x0",
        "s": "0x0",
        "secretKey": f"0x{_SENDER_SECRET.hex()}",
    }


def _first_contract_of(sender: Address) -> Address:
    """The address of the contract that an account's first transaction creates (yellow paper, section 7)."""
    return Address(keccak256(rlp.encode([sender, 0]))[12:])


def _text(address: Address) -> str:
    return f"0x{address.hex()}"
