"""`admin_*`: who a node is to its peers, who they are, and what its operator does about them.

Served on a socket in the data folder, to whoever may read that folder, and never on the port of clients. The
shapes are those that tools for Ethereum nodes know; `transport` and `roles` are additions of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from coc.primitives.errors import CocError
from coc.primitives.types import format_data, format_quantity
from coc.rpc.errors import Json, invalid_params
from coc.rpc.jobs import Answer
from coc.rpc.methods import Context, Method
from coc.rpc.parameters import TEXT, Parameter
from coc.rpc.ports import ConnectedPeer

PROTOCOL: Final = "coc"


def node_info(context: Context) -> Answer:
    """Name, identity, addresses and chain of this node."""
    own = context.peers.own()
    head = context.chain.head
    return {
        "id": own.peer.hex(),
        "name": context.status.client_version,
        "enode": _enode(own.public_key, own.host, own.port),
        "ip": own.host,
        "listenAddr": _place(own.host, own.port),
        "httpAddr": own.http or None,
        "ports": {"discovery": own.port, "listener": own.port},
        "protocols": {
            PROTOCOL: {
                "network": context.chain.chain_id,
                "genesis": format_data(own.genesis_hash),
                "head": format_data(head.hash),
            }
        },
    }


def peers(context: Context) -> Answer:
    """Everybody who is connected."""
    return [_peer(each) for each in context.peers.connected()]


def bans(context: Context) -> Answer:
    """Peers and addresses that stay out."""
    return [{"who": who, "until": format_quantity(until_ms)} for who, until_ms in context.peers.bans()]


def divergence(context: Context) -> Answer:
    """What is known of where this node parts from a certified block; null where it does not."""
    return cast("Answer", context.peers.divergence())


def add_peer(context: Context, named: str) -> Answer:
    """Keep a connection to a peer."""
    return _done(context.peers.add, named)


def remove_peer(context: Context, named: str) -> Answer:
    """Part from a peer, and dial it no more."""
    return _done(context.peers.remove, named)


def ban_peer(context: Context, named: str) -> Answer:
    """Keep a peer out."""
    return _done(context.peers.ban, named)


def unban_peer(context: Context, named: str) -> Answer:
    """Let a peer in again."""
    return _done(context.peers.unban, named)


def _done(act: Callable[[str], bool], named: str) -> Answer:
    try:
        return act(named)
    except CocError as error:
        raise invalid_params(
            "; ".join(part for part in (error.what, error.why, error.cure) if part)
        ) from error


def _peer(each: ConnectedPeer) -> Json:
    return {
        "id": each.peer.hex(),
        "name": "",
        "enode": _enode(each.public_key, each.host, each.listen_port),
        "caps": [f"{PROTOCOL}/1"],
        "network": {
            "remoteAddress": _place(each.host, each.listen_port),
            "inbound": not each.is_dialled,
            "trusted": each.is_trusted,
            "static": each.is_configured,
        },
        "transport": "http" if each.is_over_http else "tcp",
        "roles": each.roles,
    }


def _enode(public_key: bytes, host: str, port: int) -> str:
    return f"enode://{public_key.hex()}@{_place(host, port)}"


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_PEER: Final = (Parameter("peer", TEXT),)

METHODS: Final = (
    Method(
        "admin_nodeInfo",
        node_info,
        returns="object",
        doc="Name, identity, addresses and chain of this node.",
    ),
    Method("admin_peers", peers, returns="array of objects", doc="Everybody who is connected, and how."),
    Method(
        "admin_bans", bans, returns="array of objects", doc="Peers and addresses that stay out until then."
    ),
    Method(
        "admin_divergence",
        divergence,
        returns="object or null",
        doc="Where execution here parts from a certified block: cause, first transaction, first account.",
    ),
    Method(
        "admin_addPeer",
        add_peer,
        _PEER,
        returns="boolean",
        doc="Keep a connection to `[ID@]HOST:PORT`, with http:// over HTTP; whether there was room.",
    ),
    Method(
        "admin_removePeer",
        remove_peer,
        _PEER,
        returns="boolean",
        doc="Part from a peer, named by id or address, and dial it no more; whether it was known.",
    ),
    Method(
        "admin_banPeer",
        ban_peer,
        _PEER,
        returns="boolean",
        doc="Keep a peer, named by id, out for a day, and part from it; whether it was not out already.",
    ),
    Method(
        "admin_unbanPeer",
        unban_peer,
        _PEER,
        returns="boolean",
        doc="Let a peer, named by id, or an IP in again; whether it was out.",
    ),
)
