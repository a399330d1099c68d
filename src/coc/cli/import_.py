"""`coc import`: blocks from files into a data folder, each validated, until the first that is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from coc.cli.exits import EXIT_FAILED, told
from coc.cli.progress import ProgressLine

if TYPE_CHECKING:
    from coc.adapters.importing import Refused, Tally
    from coc.cli.chain_folder import FolderChain

_MIB = 1 << 20


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the chain."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, files: tuple[Path, ...], data: Path, as_json: bool) -> None:
    """Import blocks from files.

    An Ethereum chain takes RLP blocks one after the other; every rule is checked but proof of work. A chain
    of ours takes what `coc export` wrote of it. Blocks that are there already are passed over, so an import
    that was interrupted goes on when it is run again.
    """
    from coc.cli.chain_folder import chain_in

    with told(), chain_in(data) as opened:
        refused = _import_all(opened, files, as_json=as_json)
    if refused is not None:
        if not as_json:
            click.echo(
                f"Error: block {refused.number} is refused: {refused.sentence} [{refused.code}]\n"
                "  → the blocks before it are imported; get the file again, or the release that wrote it",
                err=True,
            )
        sys.exit(EXIT_FAILED)


def _import_all(opened: FolderChain, files: tuple[Path, ...], *, as_json: bool) -> Refused | None:
    from coc.adapters.chain_files import open_block_file
    from coc.adapters.importing import import_file

    imported = known = 0
    refused: Refused | None = None
    line = ProgressLine()

    def show(tally: Tally) -> None:
        blocks = imported + known + tally.imported + tally.known
        line.show(blocks, tally.bytes_read / _MIB, tally.bytes_total / _MIB, "MiB")

    try:
        for path in files:
            with open_block_file(path) as file:
                tally = import_file(opened.chain, opened.rules, file, show)
            imported, known, refused = imported + tally.imported, known + tally.known, tally.refused
            if refused is not None:
                break
    finally:
        line.close()
    head = opened.chain.head
    if as_json:
        facts: dict[str, object] = {
            "imported": imported,
            "known": known,
            "head": {"number": head.number, "hash": f"0x{head.hash.hex()}"},
            "seconds": round(line.seconds(), 3),
            "refused": None,
        }
        if refused is not None:
            facts["refused"] = {
                "number": refused.number,
                "code": refused.code,
                "sentence": refused.sentence,
            }
        click.echo(json.dumps(facts))
    else:
        click.echo(
            f"imported {imported:,} blocks in {line.seconds():.1f} s, {known:,} were there; "
            f"head {head.number:,} 0x{head.hash.hex()}"
        )
    return refused
