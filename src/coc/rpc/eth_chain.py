"""What chain and node this is: `eth_chainId`, `eth_blockNumber`, `eth_syncing`, `eth_coinbase`."""

from __future__ import annotations

from typing import Final

from coc.primitives.types import format_data, format_quantity
from coc.rpc.errors import refused
from coc.rpc.jobs import Answer
from coc.rpc.methods import Context, Method


def chain_id(context: Context) -> Answer:
    """The number that signatures are bound to."""
    return format_quantity(context.chain.chain_id)


def block_number(context: Context) -> Answer:
    """The head's number."""
    return format_quantity(context.chain.head.number)


def syncing(context: Context) -> Answer:
    """False, or how far a node that is catching up has come."""
    progress = context.status.syncing()
    if progress is None:
        return False
    return {
        "startingBlock": format_quantity(progress.starting),
        "currentBlock": format_quantity(progress.current),
        "highestBlock": format_quantity(progress.highest),
    }


def coinbase(context: Context) -> Answer:
    """Where this node's own blocks send their fees."""
    address = context.status.coinbase()
    if address is None:
        raise refused("etherbase must be explicitly specified: this node proposes no blocks")
    return format_data(address)


METHODS: Final = (
    Method(
        "eth_chainId",
        chain_id,
        returns="quantity",
        doc="The chain id that signatures are bound to (EIP-155).",
    ),
    Method("eth_blockNumber", block_number, returns="quantity", doc="The number of the head."),
    Method(
        "eth_syncing",
        syncing,
        returns="false, or {startingBlock, currentBlock, highestBlock}",
        doc="Whether the node is catching up, and how far it has come.",
    ),
    Method("eth_coinbase", coinbase, returns="address", doc="Where this node's own blocks send their fees."),
)
