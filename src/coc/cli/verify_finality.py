"""`coc verify-finality`: whether a proof shows that a block is final. It needs no chain and no folder.

| code | meaning |
|---|---|
| 0 | the block is final |
| 1 | the proof shows nothing, or cannot be read: standard error says which |
| 2 | the command line was wrong |
| 130 | interrupted |
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import rich_click as click

from coc.cli.exits import EXIT_FAILED, told
from coc.cli.progress import ProgressLine
from coc.primitives.errors import CocError

if TYPE_CHECKING:
    from coc.adapters.finality_files import Progress
    from coc.consensus.finality.verify import Trust

_MIB: Final = 1 << 20


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--genesis-hash", help="Hash of the chain's block 0: trust it, and the proof from there.")
@click.option(
    "--genesis",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Genesis file of the chain, from which that hash is computed.",
)
@click.option(
    "--checkpoint", help="Checkpoint that you trust, GENESIS:HEIGHT:BLOCK:SET:TIME: the proof begins there."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, of a refusal too.")
def command(
    *, file: Path, genesis_hash: str | None, genesis: Path | None, checkpoint: str | None, as_json: bool
) -> None:
    """Verify that a block is final, from one file that `coc prove-finality` made.

    Say what you trust, with exactly one of --genesis-hash, --genesis and --checkpoint. Every signature is
    checked; nothing else is asked, no network and no data folder. A checkpoint is refused once it is older
    than two thirds of the time for which the chain locks stakes.
    """
    from coc.adapters.finality_files import verify_proof_file
    from coc.cli.finality_facts import finality_facts, finality_line
    from coc.consensus.finality.faults import FinalityRefused

    if sum(each is not None for each in (genesis_hash, genesis, checkpoint)) != 1:
        raise click.UsageError("give exactly one of --genesis-hash, --genesis and --checkpoint")
    line = ProgressLine()
    with told():
        trust = _trust(genesis_hash, genesis, checkpoint)
        try:
            found = verify_proof_file(file, trust, int(time.time()), lambda far: _show(line, far))
        except FinalityRefused as refusal:
            if not as_json:
                raise
            click.echo(json.dumps({"final": False, **_refusal_facts(refusal)}))
            sys.exit(EXIT_FAILED)
        finally:
            line.close()
    click.echo(json.dumps({"final": True, **finality_facts(found)}) if as_json else finality_line(found))


def _show(line: ProgressLine, far: Progress) -> None:
    line.show(far.blocks, far.bytes_done / _MIB, far.bytes_total / _MIB, "MiB")


def _trust(genesis_hash: str | None, genesis: Path | None, checkpoint: str | None) -> Trust:
    from coc.adapters.finality_files import genesis_hash_of
    from coc.cli.chain_folder import read_genesis_file
    from coc.consensus.finality.checkpoint import parse_checkpoint
    from coc.consensus.finality.verify import Trust
    from coc.primitives.types import parse_hash

    if checkpoint is not None:
        known = parse_checkpoint(checkpoint)
        return Trust(known.genesis_hash, known)
    if genesis is not None:
        return Trust(genesis_hash_of(read_genesis_file(genesis)))
    return Trust(parse_hash(genesis_hash or ""))


def _refusal_facts(refusal: CocError) -> dict[str, str]:
    return {"id": refusal.id, "what": refusal.what, "why": refusal.why, "cure": refusal.cure}
