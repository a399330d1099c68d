"""Contract event queries, installed filters that are polled, and their removal."""

from __future__ import annotations

from typing import Any

from web3.exceptions import Web3RPCError

from .session import Session


def scenario(session: Session) -> dict[str, Any]:
    """Three events, found in every way that web3.py offers over HTTP."""
    eth = session.w3.eth
    probe = session.deploy("Probe", 7)
    first = eth.block_number
    event = probe.events.ValueChanged
    log_filter = event.create_filter(from_block=first, argument_filters={"tag": [1, 3]})
    block_filter = eth.filter("latest")
    pending_filter = eth.filter("pending")
    receipts = [session.write(probe, "set", tag, tag * 10, f"note {tag}") for tag in (1, 2, 3)]
    queried = event.get_logs(from_block=first, argument_filters={"tag": 2})
    raw = eth.get_logs({"address": probe.address, "fromBlock": first, "toBlock": "latest"})
    new = [entry["args"]["tag"] for entry in log_filter.get_new_entries()]
    again = log_filter.get_new_entries()
    everything = [entry["args"]["value"] for entry in log_filter.get_all_entries()]
    uninstalled = eth.uninstall_filter(log_filter.filter_id)
    try:
        eth.get_filter_changes(log_filter.filter_id)
        after = "no failure"
    except Web3RPCError as error:
        after = str(error)
    return {
        "queried": [entry["args"]["note"] for entry in queried],
        "raw": len(raw),
        "indices": [[entry["blockNumber"] - first, entry["logIndex"]] for entry in raw],
        "new": new,
        "again": len(again),
        "all": everything,
        "blocks": [value.hex() for value in block_filter.get_new_entries()],
        "pending": [value.hex() for value in pending_filter.get_new_entries()],
        "mined": [[receipt["blockHash"].hex(), receipt["transactionHash"].hex()] for receipt in receipts],
        "uninstalled": [uninstalled, eth.uninstall_filter(log_filter.filter_id)],
        "after": after,
    }
