"""Deploy, write, read and decode; with a local key, and through an account that the node holds."""

from __future__ import annotations

from typing import Any

from .session import UNLOCKED_ACCOUNT, Session


def scenario(session: Session) -> dict[str, Any]:
    """Facts of one contract's life."""
    eth = session.w3.eth
    probe = session.deploy("Probe", 7)
    receipt = session.write(probe, "set", 5, 42, "hello")
    (event,) = probe.events.ValueChanged().process_receipt(receipt)
    unlocked = eth.accounts[UNLOCKED_ACCOUNT]
    by_node = session.mined(probe.functions.set(6, 43, "by node").transact({"from": unlocked}))
    return {
        "connected": session.w3.is_connected(),
        "chain_id": eth.chain_id,
        "client": session.w3.client_version,
        "accounts": [account.lower() for account in eth.accounts],
        "balance": eth.get_balance(session.account.address),
        "status": receipt["status"],
        "event": {"name": event["event"], **event["args"]},
        "sender": session.account.address,
        "values": [
            probe.functions.value().call(block_identifier=receipt["blockNumber"] - 1),
            probe.functions.value().call(block_identifier=receipt["blockNumber"]),
            probe.functions.value().call(),
        ],
        "entry": probe.functions.entries(5).call(),
        "by_node": {"status": by_node["status"], "from": by_node["from"], "unlocked": unlocked},
        "slot_zero": int.from_bytes(eth.get_storage_at(probe.address, 0)),
        "has_code": len(eth.get_code(probe.address)) > 0,
    }
