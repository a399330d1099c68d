"""`net_*`: the network as seen by older clients."""

from __future__ import annotations

from typing import Final

from coc.primitives.types import format_quantity
from coc.rpc.jobs import Answer
from coc.rpc.methods import Context, Method


def version(context: Context) -> Answer:
    """The network id, which equals the chain id here, in decimal."""
    return str(context.chain.chain_id)


def listening(context: Context) -> Answer:
    """Whether peers can connect."""
    return context.status.listening


def peer_count(context: Context) -> Answer:
    """How many peers are connected."""
    return format_quantity(context.status.peer_count())


METHODS: Final = (
    Method("net_version", version, returns="string, decimal", doc="The network id; it equals the chain id."),
    Method("net_listening", listening, returns="boolean", doc="Whether peers can connect."),
    Method("net_peerCount", peer_count, returns="quantity", doc="How many peers are connected."),
)
