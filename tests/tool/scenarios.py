"""Blocks in which one rule of the transition tool matters, with the state roots they lead to.

The roots were computed from the same inputs by the tool of the executable specification, called
`ethereum-spec-evm t8n`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from coc import _native
from coc.primitives import rlp
from coc.primitives.keccak import keccak256

SECRET = "0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8"
SENDER = "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b"
BENEFICIARY = "0xc01b000000000000000000000000000000000000"
CONTRACT = "0xc0de000000000000000000000000000000000000"
OTHER = "0x00000000000000000000000000000000000a11ce"
RICH = hex(10**24)

STORE = "0x600160005500"
"""PUSH1 1 PUSH1 0 SSTORE STOP."""
LOG = "0x602a60005260206000a000"
"""Stores 42 in memory, and logs it as LOG0."""
BLOB = "0x01" + "00" * 31

SYSTEM_CONTRACTS = {
    # Each answers nothing: no requests. The real contracts are in the vectors.
    "0x00000961ef480eb55e80d19ad83579a64c007002": {"balance": "0x0", "nonce": "0x1", "code": "0x00"},
    "0x0000bbddc7ce488642fb579f8b00f3a590007251": {"balance": "0x0", "nonce": "0x1", "code": "0x00"},
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """The inputs of one transition."""

    fork: str
    env: dict[str, Any]
    txs: list[dict[str, Any]]
    root: str
    alloc: dict[str, Any] = field(default_factory=dict)
    reward: int = 0

    @property
    def accounts(self) -> dict[str, Any]:
        """A rich sender, and what the scenario adds."""
        return {SENDER: {"balance": RICH}, **self.alloc}


def env(**more: Any) -> dict[str, Any]:
    """A block of number 1, with what a scenario says of it."""
    return {
        "currentCoinbase": BENEFICIARY,
        "currentGasLimit": "0x1c9c380",
        "currentNumber": "0x1",
        "currentTimestamp": "0x3e8",
        "blockHashes": {"0x0": "0x" + "11" * 32},
        **more,
    }


def transfer(**more: Any) -> dict[str, Any]:
    """An unsigned transfer of one wei at ten wei a gas."""
    return {
        "type": "0x0",
        "nonce": "0x0",
        "gas": "0x186a0",
        "gasPrice": "0xa",
        "to": OTHER,
        "value": "0x1",
        "input": "0x",
        "v": "0x0",
        "r": "0x0",
        "s": "0x0",
        "secretKey": SECRET,
        **more,
    }


def dynamic(**more: Any) -> dict[str, Any]:
    """The same with a fee cap (EIP-1559)."""
    fees = {
        "type": "0x2",
        "chainId": "0x1",
        "accessList": [],
        "maxFeePerGas": "0x64",
        "maxPriorityFeePerGas": "0x2",
    }
    return {name: value for name, value in transfer(**{**fees, **more}).items() if name != "gasPrice"}


def authorization(address: str, nonce: int) -> dict[str, str]:
    """The sender lets its account run the code at `address` on chain 1 (EIP-7702)."""
    message = b"\x05" + rlp.encode([b"\x01", bytes.fromhex(address[2:]), bytes([nonce])])
    signature = _native.sign(bytes.fromhex(SECRET[2:]), keccak256(message))
    return {
        "chainId": "0x1",
        "address": address,
        "nonce": hex(nonce),
        "v": hex(signature[64]),
        "r": hex(int.from_bytes(signature[:32])),
        "s": hex(int.from_bytes(signature[32:64])),
    }


MERGED = {"currentRandom": "0x0", "currentBaseFee": "0x7"}
CANCUN = {**MERGED, "withdrawals": [], "parentBeaconBlockRoot": "0x" + "22" * 32}

SCENARIOS = {
    "a difficulty computed from the parent": Scenario(
        "Byzantium",
        env(parentDifficulty="0x200000", parentTimestamp="0x3de", parentUncleHash="0x" + "33" * 32),
        [
            transfer(protected=False),
            transfer(nonce="0x1", to="", input="0x600a600c600039600a6000f3" + STORE[2:]),
        ],
        "0xb61081e79dbc337355a1108ef036e2ff4fc663d3f49349f0933f2bc9ab434ca8",
        reward=3 * 10**18,
    ),
    "an access list": Scenario(
        "Berlin",
        env(currentDifficulty="0x20000"),
        [
            transfer(
                type="0x1",
                chainId="0x1",
                to=CONTRACT,
                accessList=[{"address": CONTRACT, "storageKeys": ["0x00"]}],
            )
        ],
        "0xf287862010a30545829763ce5cd75dfa93ad565cee06db7847a83d0777b996d7",
        alloc={CONTRACT: {"balance": "0x0", "code": STORE}},
        reward=2 * 10**18,
    ),
    "a base fee computed from the parent": Scenario(
        "London",
        env(
            currentDifficulty="0x20000",
            parentBaseFee="0x10",
            parentGasUsed="0x1c9c380",
            parentGasLimit="0x1c9c380",
        ),
        [dynamic(), dynamic(nonce="0x5"), dynamic(nonce="0x1", maxFeePerGas="0x11"), dynamic(nonce="0x1")],
        "0xb03ff6b3b8f60ba12e756400ed3449857ea8bf009b51edfad0d6a6c3eedefc59",
        reward=2 * 10**18,
    ),
    "withdrawals": Scenario(
        "Shanghai",
        env(
            **MERGED,
            withdrawals=[
                {"index": "0x0", "validatorIndex": "0x7", "address": OTHER, "amount": "0x3b9aca00"},
                {"index": "0x1", "validatorIndex": "0x8", "address": BENEFICIARY, "amount": "0x1"},
            ],
        ),
        [dynamic(to=CONTRACT)],
        "0xe439dc01b090209f5f4c9fcc5ec9dfaf4d010600413731cd74f4d8aab8d6f37c",
        alloc={CONTRACT: {"balance": "0x0", "code": LOG}},
    ),
    "blobs, and an excess computed from the parent": Scenario(
        "Cancun",
        env(**CANCUN, parentExcessBlobGas="0xa0000", parentBlobGasUsed="0xa0000"),
        [
            dynamic(type="0x3", maxFeePerBlobGas="0x64", blobVersionedHashes=[BLOB] * 4),
            dynamic(nonce="0x1", type="0x3", maxFeePerBlobGas="0x64", blobVersionedHashes=[BLOB] * 3),
            dynamic(nonce="0x1", type="0x3", maxFeePerBlobGas="0x64", blobVersionedHashes=[BLOB] * 2),
        ],
        "0xec3dcde92ba8870dcf18bec71354cf353bccd64010112f89f81d4916baf916f1",
        # Keeps the timestamp and the root as EIP-4788's contract does, in slots 0 and 1.
        alloc={
            "0x000f3df6d732807ef1319fb7b8bb8522d0beac02": {
                "balance": "0x0",
                "nonce": "0x1",
                "code": "0x42600055600035600155",
            }
        },
    ),
    "an account set to code of another": Scenario(
        "Prague",
        env(**CANCUN, currentExcessBlobGas="0x0"),
        [
            dynamic(type="0x4", to=SENDER, authorizationList=[authorization(CONTRACT, 1)]),
        ],
        "0x9a0639e8e879d9ccbc5898e7d08501ed7ba42e83e8de3804bc01d820c9972d65",
        alloc={CONTRACT: {"balance": "0x0", "code": STORE}, **SYSTEM_CONTRACTS},
    ),
    "more gas than one transaction may have": Scenario(
        "Osaka",
        env(**CANCUN, currentExcessBlobGas="0x0"),
        [dynamic(gas="0x1000001"), dynamic(gas="0x1000000")],
        "0xa2927a7f92c1b6497a40a6f8fb251b23e2df6e403c4542a953b46334c9f3e914",
        alloc=SYSTEM_CONTRACTS,
    ),
}
