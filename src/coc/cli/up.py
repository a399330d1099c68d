"""`coc up`: a development chain on this machine, with funded accounts, until Ctrl-C; or a network."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from coc.cli.exits import told
from coc.cli.serving import endpoint, log_level_option, refuse_public_keys_in_public, run_node
from coc.primitives.limits import DEV_ACCOUNTS_MAX
from coc.primitives.limits_commands import UP_NODES_MAX

if TYPE_CHECKING:
    from coc.adapters.chain_port import OpenChain
    from coc.adapters.live_node import NodeChoices

DEV_MNEMONIC = "test test test test test test test test test test test junk"
"""The sentence whose accounts every Ethereum tool knows. Its keys are public: never use them elsewhere."""
DEFAULT_PORT = 8545


@dataclass(slots=True)
class UpOptions:
    """What was typed. Times in seconds."""

    host: str
    port: int
    data: Path | None
    block_time: float
    instant: bool
    manual: bool
    chain_id: int
    gas_limit: int | None
    accounts: int
    mnemonic: str
    genesis: Path | None
    nodes: int | None
    engine: str | None
    archive: bool
    as_json: bool
    log_level: str


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; with the well-known keys only this machine's own.",
)
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port for JSON-RPC; 0 lets the system choose.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep the chain in. Without it everything is in memory.",
)
@click.option(
    "--block-time",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.05, 3_600),
    help="Seconds between blocks.",
)
@click.option("--instant", is_flag=True, help="Make a block for every transaction, at once.")
@click.option("--manual", is_flag=True, help="Make blocks only when `evm_mine` asks for them.")
@click.option(
    "--chain-id",
    default=31_337,
    show_default=True,
    type=click.IntRange(1, 2**63 - 1),
    help="Chain id of a new chain.",
)
@click.option("--gas-limit", type=click.IntRange(5_000, 2**63 - 1), help="Gas limit of a new chain's blocks.")
@click.option(
    "--accounts",
    default=10,
    show_default=True,
    type=click.IntRange(1, DEV_ACCOUNTS_MAX),
    help="Funded accounts of a new chain.",
)
@click.option("--mnemonic", default=DEV_MNEMONIC, help="BIP-39 sentence that the accounts come from.")
@click.option(
    "--genesis",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Genesis file of a new chain.",
)
@click.option(
    "--nodes",
    type=click.IntRange(1, UP_NODES_MAX),
    help="A network of so many validators, each a process; node 1 listens on --port, node 2 on the next …",
)
@click.option(
    "--engine",
    type=click.Choice(["bft", "rotation"]),
    help="With --nodes: whether validators agree on each block, which then is final, or take turns. A new"
    " network agrees without it.",
)
@click.option("--archive", is_flag=True, help="Keep the state of every block, not of the newest 256.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object when ready, with --nodes one for each node, and nothing else.",
)
@log_level_option
def command(**options: object) -> None:
    """Start a development chain on this machine."""
    chosen = UpOptions(**options)  # type: ignore[arg-type]  # click has checked the types
    if chosen.instant and chosen.manual:
        raise click.UsageError("--instant and --manual exclude each other; leave one of them out")
    if chosen.nodes is not None:
        _refuse_single_choices(chosen)
    elif chosen.engine is not None:
        raise click.UsageError("--engine is for a network; say with --nodes how many take part")
    with told():
        if chosen.nodes is None:
            run(chosen)
        else:
            from coc.cli.up_network import run_network

            run_network(chosen, chosen.nodes)


def _refuse_single_choices(options: UpOptions) -> None:
    """Refuse what only a chain with one validator can do."""
    if options.instant or options.manual:
        raise click.UsageError("--nodes makes blocks at their interval; leave --instant and --manual out")
    if options.engine == "rotation" and options.nodes == 1:
        raise click.UsageError("turns are taken by two or more; for a chain of one leave --nodes out")
    if options.genesis is not None:
        raise click.UsageError("--nodes makes a genesis of its own; for another run each node by `coc node`")
    if options.block_time < 1 or options.block_time != int(options.block_time):
        raise click.UsageError("a network makes blocks at whole seconds; let --block-time be 1 or more")


def run(options: UpOptions) -> None:
    """Compose the node and serve until a signal says stop.

    Raises:
        CocError: the node cannot start.
    """
    from coc.cli.node_setup import node_choices

    if options.mnemonic == DEV_MNEMONIC:
        cure = "use a loopback address, or a `--mnemonic` of your own"
        refuse_public_keys_in_public(options.host, cure)
    choices = node_choices(options)
    run_node(
        choices,
        lambda chain, port: announce(options, choices, chain, port),
        log_level=options.log_level,
        shows_blocks=not options.as_json,
    )


def announce(options: UpOptions, choices: NodeChoices, chain: OpenChain, port: int) -> None:
    """Say where the node is and whose accounts it has."""
    from coc.primitives.checksum import format_checked
    from coc.primitives.secp256k1 import address_of

    rpc = endpoint(options.host, port)
    accounts = [
        {"address": format_checked(address_of(secret)), "privateKey": f"0x{secret.hex()}"}
        for secret in choices.accounts
    ]
    if options.as_json:
        ready = {
            "rpc": rpc,
            "chainId": chain.chain_id,
            "genesisHash": f"0x{chain.genesis_hash.hex()}",
            "pid": os.getpid(),
            "data": None if options.data is None else str(options.data),
            "head": chain.head.number,
            "accounts": accounts,
        }
        click.echo(json.dumps(ready))
        return
    click.echo(_banner(options, chain, rpc, accounts))


def _banner(options: UpOptions, chain: OpenChain, rpc: str, accounts: list[dict[str, str]]) -> str:
    sealing = f"a block every {options.block_time:g} s"
    if options.instant:
        sealing = "a block for every transaction"
    elif options.manual:
        sealing = "a block when `evm_mine` asks"
    where = "in memory" if options.data is None else str(options.data)
    lines = [
        "",
        click.style("  COC development chain", bold=True)
        + f"   chain id {chain.chain_id}, {sealing}, {where}",
        "",
        "  Accounts, each with 10,000 ether on a new chain",
        *(f"  ({index}) {account['address']}" for index, account in enumerate(accounts)),
        "",
        "  Private keys"
        + ("   known to everybody: never use them elsewhere" if options.mnemonic == DEV_MNEMONIC else ""),
        *(f"  ({index}) {account['privateKey']}" for index, account in enumerate(accounts)),
        "",
        "  " + click.style(f"RPC  {rpc}", bold=True) + "   Ctrl-C stops",
        "",
    ]
    return "\n".join(lines)
