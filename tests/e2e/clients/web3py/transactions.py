"""Legacy, access list, fee market and set-code transactions, signed by eth-account."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from web3 import Web3

from .session import Session

RECEIVER = Web3.to_checksum_address("0x00000000000000000000000000000000c0ffee00")


def facts(session: Session, receipt: Any) -> dict[str, Any]:
    """What the receipt, the transaction and its raw bytes say."""
    transaction = session.w3.eth.get_transaction(receipt["transactionHash"])
    raw = session.w3.eth.get_raw_transaction(receipt["transactionHash"])
    return {
        "status": receipt["status"],
        "type": receipt["type"],
        "read_type": transaction["type"],
        "raw_hash_matches": bytes(session.w3.keccak(raw)) == bytes(receipt["transactionHash"]),
        "recovered": Account.recover_transaction(raw),
        "sender": session.account.address,
        "price_charged": receipt["effectiveGasPrice"],
    }


def set_code(session: Session) -> dict[str, Any]:
    """Delegates a fresh account to the batcher."""
    batcher = session.deploy("Batcher")
    delegator = Account.create()
    chain_id = session.w3.eth.chain_id
    authorization = delegator.sign_authorization(
        {"chainId": chain_id, "address": batcher.address, "nonce": 0}
    )
    receipt = session.send(
        {"to": delegator.address, "value": 10, "gas": 100_000, "authorizationList": [authorization]}
    )
    return {
        **facts(session, receipt),
        "code": session.w3.eth.get_code(delegator.address).hex(),
        "batcher": batcher.address.lower(),
        "nonce": session.w3.eth.get_transaction_count(delegator.address),
    }


def scenario(session: Session) -> dict[str, Any]:
    """Each type once."""
    transfer = {"to": RECEIVER, "value": 3}
    price = session.w3.eth.gas_price * 2
    listed = {"type": 1, "accessList": [{"address": RECEIVER, "storageKeys": ["0x" + "00" * 31 + "01"]}]}
    return {
        "legacy": facts(session, session.send({**transfer, "gasPrice": price})),
        "access_list": facts(session, session.send({**transfer, **listed, "gasPrice": price})),
        "fee_market": facts(session, session.send(transfer)),
        "set_code": set_code(session),
    }
