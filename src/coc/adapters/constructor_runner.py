"""Runs a contract's constructor on the native EVM, as the transaction that creates it would.

The world is empty but for a sender with the coins that the contract is given, gas is free, and there is no
block around it: what a constructor leaves depends on its arguments alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from coc.adapters.evm_tool import TransitionRules, transition
from coc.primitives import rlp
from coc.primitives.errors import AdapterError
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import address_of, secret_of
from coc.primitives.types import Address, Wei

CONSTRUCTOR_GAS: Final = 100_000_000
"""Enough for a registry with 128 founders, which takes 30 million; a genesis is no block."""

_RULES: Final = TransitionRules(
    fork="Prague", chain_id=1, reward_wei=-1, transactions_only=True, trace_folder=None
)
"""Chains of ours begin with Prague; later forks bound the gas of a transaction, which this is not."""

_SENDER_SECRET: Final = secret_of(keccak256(b"COC/constructor/1"))
"""Anybody may know it: its account exists in a world of its own, and only while a constructor runs."""


class ConstructorFailed(AdapterError):
    """A constructor refused its arguments."""

    id: ClassVar[str] = "COC-CONSTRUCTOR"


def run_constructor(creation: bytes, value_wei: Wei) -> tuple[bytes, Mapping[int, int]]:
    """The runtime code and storage that creation code leaves, given some coins.

    Raises:
        ConstructorFailed: it reverted, or ran out of gas.
    """
    sender = address_of(_SENDER_SECRET)
    alloc, result, _ = transition(
        (
            msgspec.json.encode({_text(sender): {"balance": hex(value_wei)}}),
            msgspec.json.encode(_environment()),
            msgspec.json.encode([_creation(creation, value_wei)]),
        ),
        _RULES,
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
