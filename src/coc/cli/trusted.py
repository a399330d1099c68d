"""`coc node --checkpoint`: the final block that a new node begins at, as it was typed."""

from __future__ import annotations

import time
from pathlib import Path

from coc.adapters.chain_port import closing, open_chain
from coc.adapters.finality_files import provable_chain, trusted_block_in
from coc.consensus.finality.checkpoint import TrustedBlock, parse_trusted
from coc.consensus.finality.verify import refuse_unfit
from coc.execution.genesis import Genesis
from coc.primitives.errors import CliError

FULL = "full"


def trusted_block(text: str, genesis: Genesis, sync: str | None) -> TrustedBlock:
    """What `--checkpoint` names: a block by height and hash, a whole checkpoint, or a file with either.

    Raises:
        CliError: blocks are asked for since the first one.
        CheckpointInvalid, FinalityRefused, ChainFileFailed: nothing can begin there.
        NoCertificates, ChainFailed: the chain has nothing of the kind.
    """
    if sync == FULL:
        raise CliError(
            "--checkpoint and --sync full contradict each other",
            why="a node that executes every block since the first begins at genesis",
            cure="leave one of them out",
        )
    with closing(open_chain(genesis.text, None, {})) as chain:
        rules = provable_chain(chain, genesis).rules
    now_s, path = int(time.time()), Path(text)
    found = trusted_block_in(path, rules, now_s) if path.is_file() else parse_trusted(text)
    refuse_unfit(found, rules, now_s)
    return found
