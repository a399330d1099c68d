"""Blocks, receipts, fees, access lists, nonces and tags."""

from __future__ import annotations

from typing import Any

from web3.exceptions import BlockNotFound, TransactionNotFound

from .session import Session


def absent(read: Any, argument: Any) -> str:
    """Name of the exception that a read of something absent raises."""
    try:
        read(argument)
    except (BlockNotFound, TransactionNotFound) as error:
        return type(error).__name__
    return "no failure"


def scenario(session: Session) -> dict[str, Any]:
    """What the chain says about a transaction's block."""
    eth = session.w3.eth
    probe = session.deploy("Probe", 7)
    nonce = eth.get_transaction_count(session.account.address)
    data = probe.encode_abi("set", [1, 2, "three"])
    created = eth.create_access_list({"from": session.account.address, "to": probe.address, "data": data})
    history = eth.fee_history(2, "latest", [10, 90])
    receipt = session.send({"to": probe.address, "data": data})
    block = eth.get_block(receipt["blockHash"], full_transactions=True)
    receipts = eth.get_block_receipts(block["number"])
    tags = {tag: eth.get_block(tag)["number"] for tag in ("earliest", "finalized", "safe", "latest")}
    return {
        "nonces": [nonce, eth.get_transaction_count(session.account.address)],
        "in_block": [transaction["hash"].hex() for transaction in block["transactions"]],
        "transaction": receipt["transactionHash"].hex(),
        "receipts": [entry["transactionHash"].hex() for entry in receipts],
        "count": eth.get_block_transaction_count(block["hash"]),
        "by_index": eth.get_transaction_by_block(block["hash"], receipt["transactionIndex"])["hash"].hex(),
        "access_list": [entry["address"].lower() for entry in created["accessList"]],
        "probe": probe.address.lower(),
        "history": [len(history["baseFeePerGas"]), [len(row) for row in history["reward"]]],
        "extra_data_bytes": len(block["extraData"]),
        "tags": tags,
        "absent_block": absent(eth.get_block, block["number"] + 1_000_000),
        "absent_transaction": absent(eth.get_transaction, "0x" + "11" * 32),
        "gas_price": eth.gas_price,
    }
