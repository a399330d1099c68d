"""The kept vectors of the executable specification, played through `coc evm t8n`.

Every block of a block test becomes one transition from the accounts that the one before gave out, so that a
network's chain holds only if both the figures and the accounts are right on every fork.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from tests.tool.transition import Transition, transition

VECTORS = Path(__file__).parents[1] / "vectors"
ETHER = 10**18
ORDER = (
    *("Frontier", "Homestead", "Dao", "EIP150", "EIP158", "Byzantium", "Constantinople", "ConstantinopleFix"),
    *("Istanbul", "MuirGlacier", "Berlin", "London", "ArrowGlacier", "GrayGlacier"),
)
NETWORKS = sorted(path.stem for path in (VECTORS / "blocktests").glob("*.json") if "AtDiff" not in path.stem)
"""Not those where the sum of difficulties decides which rules hold: the tool sees one block alone."""


def reward_of(network: str, header: dict[str, Any]) -> int:
    """What this block earns, or -1 after the merge."""
    if int(header["difficulty"], 16) == 0:
        return -1
    stages, _, start = network.partition("At")
    first, _, second = stages.partition("To")
    fork = second if second and int(header["number"], 16) >= int(start) else first
    if ORDER.index(fork) >= ORDER.index("Constantinople"):
        return 2 * ETHER
    return 3 * ETHER if fork == "Byzantium" else 5 * ETHER


def env_of(header: dict[str, Any], body: list[Any], hashes: dict[str, str]) -> dict[str, Any]:
    """The environment of a block; what its parent determines is taken from its header."""
    env: dict[str, Any] = {
        "currentCoinbase": header["coinbase"],
        "currentGasLimit": header["gasLimit"],
        "currentNumber": header["number"],
        "currentTimestamp": header["timestamp"],
        "currentDifficulty": header["difficulty"],
        "currentRandom": header["mixHash"],
        "blockHashes": hashes,
        "ommers": [ommer_of(fields, int(header["number"], 16)) for fields in body[2]],
    }
    for name, field in (
        ("currentBaseFee", "baseFeePerGas"),
        ("currentExcessBlobGas", "excessBlobGas"),
        ("parentBeaconBlockRoot", "parentBeaconBlockRoot"),
    ):
        if field in header:
            env[name] = header[field]
    if len(body) > 3:
        env["withdrawals"] = [withdrawal_of(fields) for fields in body[3]]
    return env


def ommer_of(fields: list[bytes], number: int) -> dict[str, str]:
    return {"delta": hex(number - rlp.uint(fields[8])), "address": "0x" + fields[2].hex()}


def withdrawal_of(fields: list[bytes]) -> dict[str, str]:
    index, validator, address, amount = fields
    return {
        "index": hex(rlp.uint(index)),
        "validatorIndex": hex(rlp.uint(validator)),
        "address": "0x" + address.hex(),
        "amount": hex(rlp.uint(amount)),
    }


def valid_blocks(test: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Header and decoded body of each block the chain accepts."""
    for block in test["blocks"]:
        if "blockHeader" in block:
            yield block["blockHeader"], rlp.decode_list(bytes.fromhex(block["rlp"][2:]))


def agree(after: Transition, header: dict[str, Any]) -> None:
    """Every figure that the header commits to is the one the tool gave."""
    assert after.rejected == {}
    names = {
        "stateRoot": "stateRoot",
        "txRoot": "transactionsTrie",
        "receiptsRoot": "receiptTrie",
        "logsBloom": "bloom",
        "withdrawalsRoot": "withdrawalsRoot",
        "requestsHash": "requestsHash",
    }
    said = {ours: header[theirs] for ours, theirs in names.items() if theirs in header}
    assert {name: after.result[name] for name in said} == said
    numbers = {"gasUsed": "gasUsed", "blobGasUsed": "blobGasUsed"}
    for ours, theirs in numbers.items():
        if theirs in header:
            assert int(after.result[ours], 16) == int(header[theirs], 16)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_chain_of_transitions_reaches_what_the_headers_say(network: str) -> None:
    tests = json.loads((VECTORS / "blocktests" / f"{network}.json").read_bytes())
    played = 0
    for test in tests.values():
        genesis = test["genesisBlockHeader"]
        states = {genesis["hash"]: (test["pre"], {genesis["number"]: genesis["hash"]})}
        for header, body in valid_blocks(test):
            alloc, hashes = states[header["parentHash"]]
            txs = "0x" + rlp.encode(body[1]).hex()
            reward = str(reward_of(network, header))
            after = transition(alloc, env_of(header, body, hashes), txs, network, "--state.reward", reward)
            agree(after, header)
            assert keccak256(bytes.fromhex(after.body[2:])) == keccak256(bytes.fromhex(txs[2:]))
            states[header["hash"]] = (after.alloc, {**hashes, header["number"]: header["hash"]})
            played += 1
    assert played > 0


def cases_of(path: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Fork, test and case of every case in a file of state tests."""
    for test in json.loads(path.read_bytes()).values():
        for fork, cases in test["post"].items():
            for case in cases:
                yield fork, test, case


def transaction_of(test: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """The one transaction a case chooses, as an object with its key."""
    template, chosen = test["transaction"], case["indexes"]
    plural = ("data", "gasLimit", "value", "accessLists")
    transaction = {name: value for name, value in template.items() if name not in plural}
    transaction["input"] = template["data"][chosen["data"]]
    transaction["gas"] = template["gasLimit"][chosen["gas"]]
    transaction["value"] = template["value"][chosen["value"]]
    if template.get("accessLists"):
        transaction["accessList"] = template["accessLists"][chosen["data"]]
    return transaction


@pytest.mark.parametrize("path", sorted((VECTORS / "statetests").glob("*.json")), ids=lambda path: path.stem)
def test_a_state_test_ends_in_the_same_root_as_a_transition(path: Path) -> None:
    for fork, test, case in list(cases_of(path))[::7]:
        merged = fork not in ORDER
        env = {**test["env"], "currentDifficulty": "0x0"} if merged else dict(test["env"])
        number = int(env["currentNumber"], 16)
        env["blockHashes"] = {
            hex(before): "0x" + keccak256(str(before).encode()).hex() for before in range(number)
        }
        # From Prague on a whole block needs contracts that the accounts of a state test do not have.
        arguments = (
            ["--state-test"] if fork.startswith(("Prague", "Osaka", "BPO")) else ["--state.reward", "0"]
        )
        if merged and fork != "Paris":
            env["withdrawals"] = []
        after = transition(test["pre"], env, [transaction_of(test, case)], fork, *arguments)
        assert (after.result["stateRoot"], bool(after.rejected)) == (case["hash"], "expectException" in case)
