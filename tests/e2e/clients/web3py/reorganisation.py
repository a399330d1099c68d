"""A creation on a branch that loses, as web3.py shows it: receipts, blocks, tags and filters."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from eth_utils import keccak
from rlp import encode
from web3.exceptions import TransactionNotFound

from .session import POLL_SECONDS, Session

LOGS_ONCE = "0x60006000a0"
"""Creation code that logs nothing, once, and leaves an account without code."""
VALUE_WEI = 5
TAGS = ("finalized", "safe", "latest")
STAGE = Path(os.environ.get("STAGE", "."))
_PAUSE = threading.Event()


def receipt_of(session: Session, name: Any) -> Any:
    """The receipt, or None where web3.py finds none."""
    try:
        return session.w3.eth.get_transaction_receipt(name)
    except TransactionNotFound:
        return None


def scenario(session: Session) -> dict[str, Any]:
    """From before the branch that loses to after the creation is final on the other one."""
    while not (STAGE / "begin").exists():
        _PAUSE.wait(POLL_SECONDS)
    eth, own = session.w3.eth, session.account.address
    nonce = eth.get_transaction_count(own)
    account = session.w3.to_checksum_address(keccak(encode([bytes.fromhex(own[2:]), nonce]))[12:])
    log_filter, block_filter = eth.filter({"address": account}), eth.filter("latest")
    lost = session.send({"data": LOGS_ONCE, "value": VALUE_WEI})
    name = lost["transactionHash"]
    found = {
        "byHash": eth.get_block(lost["blockHash"])["number"],
        "nonceAfter": eth.get_transaction_count(own, lost["blockHash"]),
    }
    events, hashes = log_filter.get_new_entries(), block_filter.get_new_entries()
    (STAGE / "web3py").touch()

    tags, finals, receipts = [], [], set()
    while True:
        blocks = [eth.get_block(tag) for tag in TAGS]
        tags.append([block["number"] for block in blocks])
        finals.append(blocks[0])
        events += log_filter.get_new_entries()
        hashes += block_filter.get_new_entries()
        again = receipt_of(session, name)
        receipts.add(None if again is None else again["blockHash"].to_0x_hex())
        is_new = again is not None and again["blockHash"] != lost["blockHash"]
        if is_new and blocks[0]["number"] >= again["blockNumber"]:
            break
        _PAUSE.wait(POLL_SECONDS)

    number = again["blockNumber"]
    moments = (number - 1, number, "finalized", "pending")
    return {
        "sent": {"nonce": nonce, "account": account},
        "lost": {"block": lost["blockHash"].to_0x_hex(), "number": lost["blockNumber"], **found},
        "again": {"block": again["blockHash"].to_0x_hex(), "number": number, "status": again["status"]},
        "transaction": eth.get_transaction(name)["blockHash"].to_0x_hex(),
        "receipts": list(receipts),
        "events": [{"removed": log["removed"], "block": log["blockHash"].to_0x_hex()} for log in events],
        "blockHashes": [value.to_0x_hex() for value in hashes],
        "tags": tags,
        "finals": [
            {
                "number": block["number"],
                "hash": block["hash"].to_0x_hex(),
                "now": eth.get_block(block["number"])["hash"].to_0x_hex(),
            }
            for block in finals
        ],
        "lostByHash": eth.get_block(lost["blockHash"])["hash"].to_0x_hex(),
        "inItsPlace": eth.get_block(lost["blockNumber"])["hash"].to_0x_hex(),
        "logs": [log["blockHash"].to_0x_hex() for log in eth.get_logs({"address": account, "fromBlock": 0})],
        "nonces": [eth.get_transaction_count(own, at) for at in moments],
        "balances": [eth.get_balance(account, at) for at in (number - 1, number, "latest")],
    }
