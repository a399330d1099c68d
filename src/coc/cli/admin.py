"""`coc admin`: look at the peers of a running node, say what to do about them, and see where it differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import rich_click as click

from coc.cli.exits import fail, told

_DATA = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the running node.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else.")


@click.group(name="admin")
def command() -> None:
    """Look at the peers of a running node, add, remove or ban some, and see where it differs.

    Asks the node on a socket in its data folder, which only the folder's owner may use.
    """


@command.command()
@_DATA
@_JSON
def info(*, data: Path, as_json: bool) -> None:
    """Show who the node is to its peers."""
    found = _ask(data, "admin_nodeInfo")
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(
        f"{found['name']}\nid      {found['id']}\nenode   {found['enode']}\npeers   {found['listenAddr']}"
    )
    if found["httpAddr"]:
        click.echo(f"HTTP    {found['httpAddr']}")


@command.command()
@_DATA
@_JSON
def peers(*, data: Path, as_json: bool) -> None:
    """List who is connected, and who is banned."""
    found, banned = _ask(data, "admin_peers"), _ask(data, "admin_bans")
    if as_json:
        click.echo(json.dumps({"peers": found, "bans": banned}))
        return
    for each in found:
        network = each["network"]
        way = "in " if network["inbound"] else "out"
        marks = ", ".join(word for word in ("trusted", "static") if network[word])
        click.echo(f"{each['id']}  {way} {each['transport']:4} {network['remoteAddress']}  {marks}".rstrip())
    for each in banned:
        click.echo(f"{each['who']}  banned")
    if not found and not banned:
        click.echo("nobody is connected")


@command.command()
@_DATA
@_JSON
def divergence(*, data: Path, as_json: bool) -> None:
    """Show where the node's execution parts from a block that validators have certified."""
    found = _ask(data, "admin_divergence")
    if as_json:
        click.echo(json.dumps(found))
        return
    if found is None:
        click.echo("it agrees with every block that it was given a certificate of")
        return
    click.echo(f"block    {found['number']:,} {found['hash']}\ncause    {found['cause']}")
    for name in ("header", "transaction", "account"):
        part = found[name]
        fields = part if name == "header" else [] if part is None else part["fields"]
        place = "" if name == "header" or part is None else f" {part.get('hash') or part['address']}"
        for field in fields:
            what = f"{name}{place} {field['name']}"
            click.echo(f"{what}: here {field['ours']}, certified {field['certified']}")
    for code in found["damagedCodes"]:
        click.echo(f"damaged code {code}")
    if found["note"]:
        click.echo(found["note"])


@command.command()
@click.argument("peer")
@_DATA
def add(*, peer: str, data: Path) -> None:
    """Keep a connection to PEER, as `[ID@]HOST:PORT`, until the node stops."""
    if not _ask(data, "admin_addPeer", peer):
        fail("there is no room for another configured peer", "remove one with `coc admin remove`")
    click.echo("it is dialled from now on; add --peer to the command of the node to keep it over a restart")


@command.command()
@click.argument("peer")
@_DATA
def remove(*, peer: str, data: Path) -> None:
    """Part from PEER, an id or an address, and dial it no more."""
    _told(_ask(data, "admin_removePeer", peer), "parted from it", "it was neither connected nor known")


@command.command()
@click.argument("peer")
@_DATA
def ban(*, peer: str, data: Path) -> None:
    """Keep PEER, named by its id, out for a day."""
    _told(_ask(data, "admin_banPeer", peer), "it stays out for a day", "it was out already")


@command.command()
@click.argument("peer")
@_DATA
def unban(*, peer: str, data: Path) -> None:
    """Let PEER, an id or an IP, in again."""
    _told(_ask(data, "admin_unbanPeer", peer), "it may come again", "it was not banned")


def _told(is_done: object, sentence: str, otherwise: str) -> None:
    click.echo(sentence if is_done else otherwise)


def _ask(data: Path, method: str, *parameters: object) -> Any:  # noqa: ANN401 - each method has its own answer
    from coc.adapters.admin_client import ask_node

    with told():
        return ask_node(data, method, *parameters)
    raise AssertionError("what is told ends the command")
