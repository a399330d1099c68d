"""`coc node`: a node on a data folder, until it is told to stop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from coc.cli.exits import told
from coc.cli.network_announcement import announce_validator
from coc.cli.serving import endpoint, log_level_option, refuse_public_keys_in_public, run_node
from coc.cli.up import DEFAULT_PORT
from coc.cli.wire_options import WireOptions
from coc.primitives.frozen import frozen
from coc.primitives.limits import DEV_ACCOUNTS_MAX

if TYPE_CHECKING:
    from coc.adapters.chain_port import OpenChain
    from coc.adapters.live_node import NodeChoices
    from coc.cli.validator_key import KeySources

DEFAULT_WIRE_PORT = 30_303
"""Where Ethereum's nodes listen too."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the chain."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port for JSON-RPC; 0 lets the system choose.",
)
@click.option(
    "--validator-key",
    type=_FILE,
    help="The validator's key: a key file, or 64 hex digits. Without it the keystore is searched.",
)
@click.option(
    "--keystore",
    type=click.Path(file_okay=False, path_type=Path),
    default="~/.coc/keystore",
    envvar="COC_KEYSTORE",
    show_default=True,
    show_envvar=True,
    help="Folder of the key files.",
)
@click.option(
    "--password-file", type=_FILE, help="File whose first line opens the key file; asked for without it."
)
@click.option(
    "--listen",
    default=f"127.0.0.1:{DEFAULT_WIRE_PORT}",
    show_default=True,
    help="HOST:PORT for peers, on a chain of several validators; port 0 lets the system choose.",
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    help="HOST:PORT of a peer to keep a connection to, ID@HOST:PORT to accept no other there; with http:// or"
    " https:// before it, over HTTP. A name may stand for many nodes. May repeat.",
)
@click.option(
    "--http-gossip", help="HOST:PORT to serve peers over HTTP too, for those whom nothing else lets through."
)
@click.option(
    "--http-proxy", help="http://HOST:PORT of a forward proxy: peers over HTTP are dialled through it."
)
@click.option(
    "--advertise", help="IP:PORT where peers reach this node, if a router in between shows another address."
)
@click.option(
    "--join",
    help="HOST:PORT of a node: make the data folder with the genesis that it gives, and stay its peer.",
)
@click.option(
    "--genesis-hash", help="Hash of the genesis to join: what the node gives is checked against it."
)
@click.option(
    "--sync",
    type=click.Choice(["full", "snapshot"]),
    help="How a folder without blocks is filled: by every block since the first, or with a recent state whose"
    " pieces peers prove. Without it in full; a snapshot once begun goes on.",
)
@click.option(
    "--checkpoint",
    help="Begin at a final block that somebody you trust has told: HEIGHT:HASH, the line of a checkpoint, or"
    " a file that `coc prove-finality` wrote. The way from there on is verified, and a recent state fetched.",
)
@click.option(
    "--signer",
    type=click.Path(path_type=Path),
    help="Socket of a `coc signer` that holds the validator's key instead.",
)
@click.option("--archive", is_flag=True, help="Keep the state of every block, not of the newest 256.")
@click.option("--unlock", type=click.IntRange(0, DEV_ACCOUNTS_MAX), default=0, hidden=True)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print a JSON object when ready, and one a line of a snapshot's progress; nothing else.",
)
@log_level_option
def command(
    *,
    data: Path,
    host: str,
    port: int,
    validator_key: Path | None,
    keystore: Path,
    password_file: Path | None,
    listen: str,
    peers: tuple[str, ...],
    http_gossip: str | None,
    http_proxy: str | None,
    advertise: str | None,
    join: str | None,
    genesis_hash: str | None,
    sync: str | None,
    checkpoint: str | None,
    signer: Path | None,
    archive: bool,
    unlock: int,
    as_json: bool,
    log_level: str,
) -> None:
    """Run a node on a data folder that `coc init` or `coc up` made, or that --join makes.

    On a chain of several validators it meets its peers, follows what they agree on, and with the key of a
    validator votes with them. With the key of its only validator a chain of ours goes on; without it, and for
    an Ethereum chain, the node serves what the folder holds: transactions are taken, and wait.
    """
    with told():
        from coc.cli.validator_key import KeySources

        sources = KeySources(validator_key, keystore.expanduser(), password_file)
        if unlock:
            refuse_public_keys_in_public(host, "leave --unlock out, or use a loopback address")
        if join is None and genesis_hash is not None:
            raise click.UsageError("--genesis-hash says which chain to --join")
        if join is not None:
            from coc.cli.joining import join_network

            join_network(data, join, genesis_hash, http_proxy)
        known = peers if join is None else (*peers, join)
        wire = WireOptions(listen, known, signer, http_gossip, http_proxy, advertise)
        choices = _choices(data, HttpPlace(host, port, unlock), sources, wire, archive=archive)
        if not _state_is_here(choices, (sync, checkpoint), as_json=as_json, log_level=log_level):
            return
        run_node(
            choices,
            lambda chain, bound: _announce(choices, chain, endpoint(host, bound), as_json=as_json),
            log_level=log_level,
            shows_blocks=not as_json,
        )


def _state_is_here(
    choices: NodeChoices, wishes: tuple[str | None, str | None], *, as_json: bool, log_level: str
) -> bool:
    """Fetch a state first where one is asked for, perhaps from a checkpoint on; False if told to stop."""
    sync, checkpoint = wishes
    if sync is None and checkpoint is None and choices.network is None:
        return True
    from coc.cli.snapshot import fill, is_wanted

    trusted = None
    if checkpoint is not None:
        from coc.cli.trusted import trusted_block

        trusted = trusted_block(checkpoint, choices.genesis, sync)
    if not is_wanted(choices, sync, trusted):
        return True
    return fill(choices, as_json=as_json, log_level=log_level, trusted=trusted)


@frozen
class HttpPlace:
    """Where to answer clients, and how many of the accounts that everybody knows to unlock for them."""

    host: str
    port: int
    unlock: int


def _choices(
    data: Path, http: HttpPlace, sources: KeySources, wire: WireOptions, *, archive: bool
) -> NodeChoices:
    from coc.adapters.chain_port import ARCHIVE
    from coc.adapters.kept_genesis import required_kept_genesis
    from coc.adapters.live_node import HttpChoices, NodeChoices
    from coc.cli.validator_key import sealing_choices, validator_key
    from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets

    genesis = required_kept_genesis(data)
    place = HttpChoices(http.host, http.port)
    options = dict(ARCHIVE) if archive else {}
    accounts = dev_secrets(DEV_MNEMONIC, http.unlock) if http.unlock else []
    if genesis.coc is not None and genesis.coc.has_peers:
        from coc.cli.network_options import network_choices

        network = network_choices(data, sources, wire)
        return NodeChoices(
            genesis=genesis,
            folder=data,
            http=place,
            network=network,
            accounts=accounts,
            chain_options=options,
        )
    key = validator_key(genesis.coc, sources)
    if key is not None and key.is_known_to_everybody:
        cure = "use a loopback address, or make a chain with a key of your own"
        refuse_public_keys_in_public(http.host, cure)
    sealing = None if key is None or genesis.coc is None else sealing_choices(genesis.coc, key)
    return NodeChoices(
        genesis=genesis,
        folder=data,
        http=place,
        sealing=sealing,
        accounts=accounts,
        chain_options=options,
    )


def _announce(choices: NodeChoices, chain: OpenChain, rpc: str, *, as_json: bool) -> None:
    if choices.network is not None:
        announce_validator(choices, chain, rpc, as_json=as_json)
        return
    seals = choices.sealing is not None
    if as_json:
        ready = {
            "rpc": rpc,
            "chainId": chain.chain_id,
            "genesisHash": f"0x{chain.genesis_hash.hex()}",
            "kind": "coc" if chain.is_coc else "ethereum",
            "sealing": seals,
            "pid": os.getpid(),
            "data": str(choices.folder),
            "head": chain.head.number,
        }
        click.echo(json.dumps(ready))
        return
    why = "no key of its validator" if chain.is_coc else "an Ethereum chain"
    sealing = "seals blocks" if seals else f"seals no blocks ({why})"
    click.echo(
        f"chain id {chain.chain_id}, head {chain.head.number:,}, {sealing}, {choices.folder}\n"
        f"RPC  {rpc}   Ctrl-C stops"
    )
