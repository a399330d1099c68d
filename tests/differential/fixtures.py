"""The public JSON formats: blockchain tests and state tests, as in the repository ``ethereum/tests``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

from .assembly import Built, BuiltChain
from .blocks import HeaderFields, header_hash
from .networks import Fork, Network
from .oracle import specification
from .plan import CHAIN_ID, Account

Json: TypeAlias = "dict[str, Any]"

_HEADER_NAMES = {
    "parent_hash": "parentHash",
    "ommers_hash": "uncleHash",
    "coinbase": "coinbase",
    "state_root": "stateRoot",
    "transactions_root": "transactionsTrie",
    "receipt_root": "receiptTrie",
    "bloom": "bloom",
    "difficulty": "difficulty",
    "number": "number",
    "gas_limit": "gasLimit",
    "gas_used": "gasUsed",
    "timestamp": "timestamp",
    "extra_data": "extraData",
    "mix_digest": "mixHash",
    "prev_randao": "mixHash",
    "nonce": "nonce",
    "base_fee_per_gas": "baseFeePerGas",
    "withdrawals_root": "withdrawalsRoot",
    "blob_gas_used": "blobGasUsed",
    "excess_blob_gas": "excessBlobGas",
    "parent_beacon_block_root": "parentBeaconBlockRoot",
    "requests_hash": "requestsHash",
}


def hex_bytes(data: bytes) -> str:
    """Bytes as the formats write them."""
    return "0x" + data.hex()


def hex_quantity(number: int) -> str:
    """A number as the formats write it: whole bytes, at least one."""
    digits = f"{number:x}"
    return "0x" + digits.zfill(len(digits) + len(digits) % 2)


def header_json(fields: HeaderFields) -> Json:
    """A header with its hash."""
    result: Json = {
        _HEADER_NAMES[name]: hex_quantity(value) if isinstance(value, int) else hex_bytes(value)
        for name, value in fields.items()
    }
    return result | {"hash": hex_bytes(header_hash(fields))}


def accounts_json(accounts: dict[bytes, Account]) -> Json:
    """A state, account by account."""
    return {
        hex_bytes(address): {
            "balance": hex_quantity(account.balance),
            "code": hex_bytes(account.code),
            "nonce": hex_quantity(account.nonce),
            "storage": {hex_quantity(slot): hex_quantity(value) for slot, value in account.storage},
        }
        for address, account in sorted(accounts.items())
    }


def blob_schedule_json(forks: list[Fork]) -> Json:
    """Blob targets and limits of each fork that sets them (EIP-7840)."""
    return {fork.label: _blob_parameters(fork) for fork in forks if fork >= Fork.CANCUN}


def config_json(network: Network) -> Json:
    """The ``config`` object: network, chain id, blob schedule."""
    forks = [network.first] + ([network.second] if network.second is not None else [])
    result: Json = {"network": network.name, "chainid": hex_quantity(CHAIN_ID)}
    schedule = blob_schedule_json(forks)
    return result | ({"blobSchedule": schedule} if schedule else {})


def blocktest_json(built: BuiltChain, *, whole_state: bool) -> Json:
    """One blockchain test. ``whole_state`` writes the post-state out instead of only its root."""
    result: Json = {
        "_info": {"comment": f"random chain, seed {built.plan.name}", "filling-tool": "tests/differential"},
        "network": built.plan.network.name,
        "config": config_json(built.plan.network),
        "sealEngine": "NoProof",
        "genesisBlockHeader": header_json(built.genesis),
        "genesisRLP": hex_bytes(built.genesis_raw),
        "pre": accounts_json(dict(built.plan.accounts)),
        "blocks": [_block_json(block) for block in built.blocks],
        "lastblockhash": hex_bytes(header_hash(built.last)),
    }
    if whole_state:
        return result | {"postState": accounts_json(built.accounts)}
    state_root = built.last["state_root"]
    assert isinstance(state_root, bytes)
    return result | {"postStateHash": hex_bytes(state_root)}


def write(path: Path, tests: dict[str, Json]) -> None:
    """Write a fixture file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tests, indent=1) + "\n", encoding="ascii")


def _block_json(block: Built) -> Json:
    if block.refusal:
        note = f"{block.note}; the specification says: {' '.join(block.refusal.split())[:120]}"
        return {"rlp": hex_bytes(block.raw), "expectException": block.expected, "_note": note}
    number = block.header["number"]
    return {
        "blockHeader": header_json(block.header),
        "blocknumber": str(number),
        "rlp": hex_bytes(block.raw),
        "uncleHeaders": [header_json(ommer) for ommer in block.ommers],
    }


def _blob_parameters(fork: Fork) -> Json:
    gas = specification(fork).gas
    maximum = specification(fork).rules.MAX_BLOB_GAS_PER_BLOCK
    return {
        "target": hex_quantity(int(gas.TARGET_BLOB_GAS_PER_BLOCK) // int(gas.GAS_PER_BLOB)),
        "max": hex_quantity(int(maximum) // int(gas.GAS_PER_BLOB)),
        "baseFeeUpdateFraction": hex_quantity(int(gas.BLOB_BASE_FEE_UPDATE_FRACTION)),
    }
