"""`coc export`: canonical blocks of a data folder into one file."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from coc.cli.exits import told
from coc.cli.progress import ProgressLine


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the chain."
)
@click.option("--first", default=1, show_default=True, type=click.IntRange(0), help="First block.")
@click.option("--last", type=click.IntRange(0), help="Last block; the head without it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, file: Path, data: Path, first: int, last: int | None, as_json: bool) -> None:
    """Export blocks to a file.

    Blocks of an Ethereum chain are written as RLP one after the other, as every client reads them; blocks of
    a chain of ours with their consensus data and seals, which importing them needs.
    """
    from coc.adapters.exporting import export_file
    from coc.cli.chain_folder import chain_in

    line = ProgressLine()
    with told(), chain_in(data) as opened:
        head = opened.chain.head.number
        end = head if last is None else last

        def show(number: int) -> None:
            done = number + 1 - first
            line.show(done, done, end + 1 - first, "blocks")

        try:
            size = export_file(opened.chain, file, first, last, show)
        finally:
            line.close()
        facts = {
            "file": str(file),
            "kind": "coc" if opened.chain.is_coc else "ethereum",
            "first": first,
            "last": end,
            "bytes": size,
            "seconds": round(line.seconds(), 3),
        }
    if as_json:
        click.echo(json.dumps(facts))
    else:
        click.echo(f"{file}: blocks {first:,} to {end:,}, {size:,} bytes")
