"""One network through several nodes: sent to the first, read from all; what any of them showed stays."""

from __future__ import annotations

import os
from typing import Any

from .session import Session

BLOCKS_WATCHED = 4
TAGS = ("latest", "safe", "finalized")
UNUSED_ADDRESS = "0x00000000000000000000000000000000c0FfeE00"


def tagged(session: Session) -> list[Any]:
    """The blocks of the tags, asked for one after the other: none may lie below one that was shown before."""
    return [session.w3.eth.get_block(tag) for tag in TAGS]


def scenario(_: Session) -> dict[str, Any]:
    """What the nodes named in NODE_URLS say of the same chain."""
    sessions = [Session.open(url) for url in os.environ["NODE_URLS"].split(",")]
    sent = sessions[0].send({"to": sessions[0].w3.to_checksum_address(UNUSED_ADDRESS), "value": 1})
    receipts = [session.mined(sent["transactionHash"]) for session in sessions]
    tags: list[list[int]] = []
    shown: dict[str, int] = {}
    until, lowest = sessions[0].w3.eth.block_number + BLOCKS_WATCHED, 0
    while lowest < until:
        seen = [tagged(session) for session in sessions]
        for blocks in seen:
            tags.append([block["number"] for block in blocks])
            shown |= {block["hash"].hex(): block["number"] for block in blocks}
        lowest = min(blocks[0]["number"] for blocks in seen)
    kept = [
        {"hash": name, "again": [session.w3.eth.get_block(number)["hash"].hex() for session in sessions]}
        for name, number in shown.items()
    ]
    return {
        "receipts": [
            {
                "status": receipt["status"],
                "blockHash": receipt["blockHash"].hex(),
                "index": receipt["transactionIndex"],
            }
            for receipt in receipts
        ],
        "tags": tags,
        "kept": kept,
    }
