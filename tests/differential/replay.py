"""Fixtures read back and judged by the specification: proof that the files say what the oracle meant.

This knows nothing of plans; it reads the JSON as any client would.
"""

from __future__ import annotations

from typing import Any

from . import rlp
from .blocks import HeaderFields, header_hash
from .eels import Refused, Undefined
from .ledger import Ledger
from .networks import NETWORKS, Fork
from .plan import Account

_NAMES = {
    "parentHash": "parent_hash",
    "coinbase": "coinbase",
    "difficulty": "difficulty",
    "number": "number",
    "gasLimit": "gas_limit",
    "gasUsed": "gas_used",
    "timestamp": "timestamp",
    "extraData": "extra_data",
    "nonce": "nonce",
    "baseFeePerGas": "base_fee_per_gas",
    "blobGasUsed": "blob_gas_used",
    "excessBlobGas": "excess_blob_gas",
    "parentBeaconBlockRoot": "parent_beacon_block_root",
    "requestsHash": "requests_hash",
}
_QUANTITIES = frozenset(
    {
        "difficulty",
        "number",
        "gasLimit",
        "gasUsed",
        "timestamp",
        "baseFeePerGas",
        "blobGasUsed",
        "excessBlobGas",
    }
)


def replay_blocktest(test: dict[str, Any]) -> str:
    """What is wrong with a blockchain test in the specification's eyes; empty if nothing is."""
    ledger = Ledger.begin(
        NETWORKS[test["network"]], accounts_of(test["pre"]), _chosen(test["genesisBlockHeader"])
    )
    if _hash_text(ledger) != test["genesisBlockHeader"]["hash"]:
        return "genesis hash differs"
    known = {_hash_text(ledger): ledger}
    head = ledger
    for position, block in enumerate(test["blocks"]):
        raw = bytes.fromhex(block["rlp"][2:])
        ledger = known.get(_parent_text(raw), ledger)
        try:
            after = ledger.judge(raw)
        except Refused as refused:
            if "expectException" not in block:
                return f"block {position} is refused: {refused.reason}"
            continue
        except Undefined as undefined:
            return f"block {position} cannot be judged: {undefined}"
        if "expectException" in block:
            return f"block {position} is accepted, {block['expectException']} expected"
        ledger = after
        if _hash_text(ledger) != block["blockHeader"]["hash"]:
            return f"block {position} has another hash"
        known[_hash_text(ledger)] = ledger
        if ledger.total_difficulty > head.total_difficulty or ledger.spec.fork >= Fork.PARIS:
            head = ledger
    if _hash_text(head) != test["lastblockhash"]:
        return "last block hash differs"
    if "postState" in test and accounts_of(test["postState"]) != head.accounts():
        return "post-state differs"
    return ""


def accounts_of(state: dict[str, Any]) -> dict[bytes, Account]:
    """A ``pre`` or ``postState`` object."""
    return {
        bytes.fromhex(address[2:]): Account(
            balance=int(account["balance"], 16),
            nonce=int(account["nonce"], 16),
            code=bytes.fromhex(account["code"][2:]),
            storage=tuple(
                sorted((int(slot, 16), int(value, 16)) for slot, value in account["storage"].items())
            ),
        )
        for address, account in state.items()
    }


def _chosen(header: dict[str, str]) -> HeaderFields:
    return {
        name: int(header[json_name], 16) if json_name in _QUANTITIES else bytes.fromhex(header[json_name][2:])
        for json_name, name in _NAMES.items()
        if json_name in header
    }


def _parent_text(raw: bytes) -> str:
    """Hash of the parent that an encoded block names; empty where the bytes are no block."""
    try:
        header: Any = rlp.decode(raw)[0]
        return "0x" + bytes(header[0]).hex()
    except (AssertionError, IndexError, TypeError, ValueError):
        return ""


def _hash_text(ledger: Ledger) -> str:
    return "0x" + header_hash(ledger.header()).hex()
