"""`coc init`: a data folder from a genesis file, checked before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from coc.cli.exits import told


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to make the chain in: new, empty, or one that holds this very chain already.",
)
@click.option(
    "--genesis",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Genesis file in geth's format; with a `coc` section in `config` the chain is one of ours.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, data: Path, genesis: Path, as_json: bool) -> None:
    """Create a data folder from a genesis file."""
    with told():
        facts = _initialise(data, genesis)
    if as_json:
        click.echo(json.dumps(facts))
        return
    verb = "made" if facts["created"] else "holds this chain already"
    click.echo(f"{data}: {verb}, chain id {facts['chainId']}, genesis {facts['genesisHash']}")


def _initialise(data: Path, genesis: Path) -> dict[str, object]:
    from coc.adapters.chain_port import closing, genesis_in, open_chain
    from coc.cli.chain_folder import read_genesis_file

    checked = read_genesis_file(genesis)
    created = genesis_in(data) is None
    with closing(open_chain(checked.text, data, {})) as chain:
        return {
            "data": str(data),
            "created": created,
            "kind": "coc" if chain.is_coc else "ethereum",
            "chainId": chain.chain_id,
            "genesisHash": f"0x{chain.genesis_hash.hex()}",
            "head": chain.head.number,
        }
