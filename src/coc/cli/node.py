"""`coc node`: a node on a data folder, until it is told to stop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from coc.cli.exits import told
from coc.cli.serving import endpoint, log_level_option, refuse_public_keys_in_public, run_node
from coc.cli.up import DEFAULT_PORT

if TYPE_CHECKING:
    from coc.adapters.chain_port import OpenChain
    from coc.adapters.live_node import NodeChoices
    from coc.cli.validator_key import KeySources

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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when ready, and nothing else.")
@log_level_option
def command(
    *,
    data: Path,
    host: str,
    port: int,
    validator_key: Path | None,
    keystore: Path,
    password_file: Path | None,
    as_json: bool,
    log_level: str,
) -> None:
    """Run a node on a data folder that `coc init` or `coc up` made.

    With the key of its validator a chain of ours goes on; without it, and for an Ethereum chain, the node
    serves what the folder holds and makes no blocks: transactions are taken, and wait.
    """
    with told():
        from coc.cli.validator_key import KeySources

        sources = KeySources(validator_key, keystore.expanduser(), password_file)
        choices = _choices(data, host, port, sources)
        run_node(
            choices,
            lambda chain, bound: _announce(choices, chain, endpoint(host, bound), as_json=as_json),
            log_level=log_level,
            shows_blocks=not as_json,
        )


def _choices(data: Path, host: str, port: int, sources: KeySources) -> NodeChoices:
    from coc.adapters.data_folder import required_genesis
    from coc.adapters.live_node import HttpChoices, NodeChoices
    from coc.cli.validator_key import sealing_choices, validator_key
    from coc.execution.genesis import read_genesis

    genesis = read_genesis(required_genesis(data))
    key = validator_key(genesis.coc, sources)
    if key is not None and key.is_known_to_everybody:
        cure = "use a loopback address, or make a chain with a key of your own"
        refuse_public_keys_in_public(host, cure)
    sealing = None if key is None or genesis.coc is None else sealing_choices(genesis.coc, key)
    return NodeChoices(genesis=genesis, folder=data, http=HttpChoices(host, port), sealing=sealing)


def _announce(choices: NodeChoices, chain: OpenChain, rpc: str, *, as_json: bool) -> None:
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
