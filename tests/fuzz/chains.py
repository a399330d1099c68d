"""Chains to attack: in memory, one a fork, with contracts that loop, revert, log, store and destroy."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from coc import _native
from coc.execution.predeploys import SYSTEM_CONTRACTS
from coc.primitives.types import UINT64_MAX

SECRET: Final = bytes(31) + b"\x01"
SENDER: Final = "0x" + _native.address_of(SECRET).hex()
LOOPS: Final = "0x" + "33" * 20
GAS_CAP: Final = 200_000
"""Gas of a simulated call: enough for every path of the contracts, little enough for thousands of cases."""

_BLOCK_FORKS: Final = tuple(
    """homestead eip150 eip155 eip158 byzantium constantinople petersburg istanbul muirGlacier berlin london
    arrowGlacier grayGlacier""".split()  # noqa: SIM905 - a list of words is read as one
)
_TIME_FORKS: Final = ("shanghai", "cancun", "prague", "osaka")
FORKS: Final = ("frontier", *_BLOCK_FORKS, "paris", *_TIME_FORKS)

CONTRACTS: Final = {
    "0x" + "22" * 20: "60206000fd",
    LOOPS: "5b600056",
    "0x" + "44" * 20: "600160005560006000a1604260205260406000a0",
    "0x" + "55" * 20: "33ff",
    "0x" + "66" * 20: "3660006000376000600036600034600035f1600055",
    "0x" + "77" * 20: "366000600037366000600037600036600034f06000555a4060015543454152",
    "0x" + "88" * 20: "ef0100" + "44" * 20,
    "0x" + "99" * 20: "ef01",
    "0x" + "aa" * 20: "ef00" + "44" * 20,
    "0x" + "bb" * 20: "6000356020355560003554602052604060203d",
}
"""Code by address: what EIP-7702 and EIP-3541 forbid is among it, since older forks let it be deployed."""


def config(fork: str) -> dict[str, Any]:
    """The `config` of a chain on which `fork` and all before it hold from genesis."""
    if fork == "frontier":
        return {"chainId": 1337}
    merged = fork == "paris" or fork in _TIME_FORKS
    blocks = _BLOCK_FORKS if merged else _BLOCK_FORKS[: _BLOCK_FORKS.index(fork) + 1]
    times = _TIME_FORKS[: _TIME_FORKS.index(fork) + 1] if fork in _TIME_FORKS else ()
    rules: dict[str, Any] = {"chainId": 1337} | {f"{name}Block": 0 for name in blocks}
    rules |= {f"{name}Time": 0 for name in times}
    return rules | ({"terminalTotalDifficulty": 0} if merged else {})


def genesis(fork: str, **fields: Any) -> dict[str, Any]:
    """A genesis file's content; `fields` replace members of it."""
    alloc: dict[str, Any] = {SENDER: {"balance": hex(2**255)}, "0x" + "0" * 39 + "3": {"balance": "0x0"}}
    alloc |= {address: {"balance": "0x5", "code": "0x" + code} for address, code in CONTRACTS.items()}
    alloc |= {
        "0x" + contract.address.hex(): {"balance": "0x0", "nonce": "0x1", "code": "0x" + contract.code.hex()}
        for contract in SYSTEM_CONTRACTS
    }
    root = {"config": config(fork), "difficulty": "0x20000", "gasLimit": "0x1c9c380", "alloc": alloc}
    merged = "terminalTotalDifficulty" in root["config"]
    return root | ({"difficulty": "0x0"} if merged else {}) | fields


def open_chain(root: dict[str, Any]) -> _native.Chain:
    """A chain in memory."""
    return _native.Chain.open(json.dumps(root).encode(), None, b'{"node_cache_bytes": 1048576}')


@cache
def chain(fork: str) -> _native.Chain:
    """The chain of `fork`, opened once."""
    return open_chain(genesis(fork))


def attributes(parent: _native.Header, **fields: Any) -> bytes:
    """What a builder is told, a second after `parent`."""
    told = {
        "timestamp": min(parent.timestamp + 1, UINT64_MAX),
        "coinbase": "0x" + "c0" * 20,
        "gas_limit_target": 30_000_000,
    }
    return json.dumps(told | fields).encode()
