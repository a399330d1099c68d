"""`coc prove-finality`: one file by which anybody sees that a block of a data folder is final.

| code | meaning |
|---|---|
| 0 | the proof is written, and was verified |
| 1 | this chain cannot prove it, or the file cannot be written: standard error says which |
| 2 | the command line was wrong |
| 130 | interrupted; no file is left |
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import rich_click as click

from coc.cli.exits import told


@click.command()
@click.option(
    "--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of the chain."
)
@click.option("--height", type=click.IntRange(1), help="Block to prove; the head without it.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; it must not be there yet.",
)
@click.option(
    "--from-checkpoint",
    help="Checkpoint that the verifier trusts, GENESIS:HEIGHT:BLOCK:SET:TIME; from genesis without it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, data: Path, height: int | None, out: Path, from_checkpoint: str | None, as_json: bool) -> None:
    """Prove a block of a data folder final, in one file for `coc verify-finality`.

    No node may run on the folder. The proof holds a header and a certificate for every set period between its
    beginning and the block; from a checkpoint it is shorter, and safe against keys of validators that have
    left.
    """
    from coc.adapters.finality_files import Wish, provable_chain, write_proof_file
    from coc.cli.chain_folder import chain_in
    from coc.cli.finality_facts import finality_facts, finality_line
    from coc.consensus.finality.checkpoint import parse_checkpoint
    from coc.primitives.types import Height

    with told():
        checkpoint = None if from_checkpoint is None else parse_checkpoint(from_checkpoint)
        with chain_in(data) as opened:
            provable = provable_chain(opened.chain, opened.genesis)
            target = provable.blocks.head if height is None else Height(height)
            size, found = write_proof_file(out, provable, Wish(target, checkpoint), int(time.time()))
    if as_json:
        click.echo(json.dumps({"file": str(out), "bytes": size, **finality_facts(found)}))
        return
    click.echo(f"{out}: {size:,} bytes; {finality_line(found)}")
    if found.checkpoint is not None:
        click.echo(f"checkpoint {found.checkpoint.text()}")
