"""What a node of a network prints when it is ready."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from coc.adapters.chain_port import OpenChain
    from coc.adapters.live_node import NodeChoices


def announce_validator(choices: NodeChoices, chain: OpenChain, rpc: str, *, as_json: bool) -> None:
    """Say where the node is, who it is, and whether it votes."""
    from coc.primitives.checksum import format_checked
    from coc.primitives.secp256k1 import address_of
    from coc.wire.identity import Identity

    network = choices.network
    if network is None:
        return
    peer = Identity(network.identity).peer.hex()
    validator = None if network.consensus is None else format_checked(address_of(network.consensus))
    if as_json:
        ready = {
            "rpc": rpc,
            "wire": f"{network.host}:{network.port}",
            "peerId": f"0x{peer}",
            "validator": validator,
            "chainId": chain.chain_id,
            "genesisHash": f"0x{chain.genesis_hash.hex()}",
            "kind": "coc",
            "pid": os.getpid(),
            "data": str(choices.folder),
            "head": chain.head.number,
        }
        click.echo(json.dumps(ready))
        return
    rules = choices.genesis.coc
    does = "votes" if rules is None or rules.engine == "bft" else "takes turns"
    role = "follows" if validator is None else f"{does} as {validator}"
    if network.signer is not None:
        role = f"signs by {network.signer}"
    click.echo(
        f"chain id {chain.chain_id}, head {chain.head.number:,}, {role}, {choices.folder}\n"
        f"RPC  {rpc}   peers at {network.host}:{network.port} as {peer[:16]}…   Ctrl-C stops"
    )
