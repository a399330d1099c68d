"""`coc signer`: a validator's consensus key in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from coc.cli.exits import told

if TYPE_CHECKING:
    from coc.adapters.validator.signer_socket import SignerServer

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--key", required=True, type=_FILE, help="The consensus key: a key file, or 64 hex digits.")
@click.option("--password-file", type=_FILE, help="File whose first line opens the key file.")
@click.option(
    "--mark",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the mark: what was signed last. Never delete it while the key is in use.",
)
@click.option(
    "--socket",
    "socket_path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Unix socket to listen on; only its owner may connect.",
)
@click.option(
    "--engine",
    type=click.Choice(["bft", "rotation"]),
    default="bft",
    show_default=True,
    help="Of the chain it signs for: rounds are told apart with bft, slots with rotation.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when ready, and nothing else.")
def command(
    *, key: Path, password_file: Path | None, mark: Path, socket_path: Path, engine: str, as_json: bool
) -> None:
    """Sign for a node, and never two things for one place.

    The node is started with `coc node --signer SOCKET`. Two nodes may use one signer: it signs for whichever
    asks first, and refuses the other. What counts as one place depends on the chain's engine; a node of the
    other engine is refused.
    """
    with told():
        server = _listening((key, password_file), mark, socket_path, engine)
        _serve(server, socket_path, as_json=as_json)


def _listening(key: tuple[Path, Path | None], mark: Path, socket_path: Path, engine: str) -> SignerServer:
    from coc.adapters.validator.mark_file import marked_signer
    from coc.adapters.validator.signer_socket import SignerServer
    from coc.cli.validator_key import read_key
    from coc.node.validator.signing_order import SigningOrder
    from coc.primitives.secp256k1 import public_key_of

    secret, order = read_key(*key), SigningOrder(engine)
    return SignerServer(socket_path, marked_signer(mark, secret, order.judge), public_key_of(secret), order)


def _serve(server: SignerServer, socket_path: Path, *, as_json: bool) -> None:
    from coc.primitives.checksum import format_checked

    validator = format_checked(server.validator)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    if as_json:
        click.echo(json.dumps({"validator": validator, "socket": str(socket_path), "pid": os.getpid()}))
    else:
        click.echo(f"signs as {validator} at {socket_path}   Ctrl-C stops")
    with server:
        server.serve_forever(poll_interval=0.1)
    socket_path.unlink(missing_ok=True)
