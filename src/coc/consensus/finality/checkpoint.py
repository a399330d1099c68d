"""A checkpoint: a final block that a verifier trusts because somebody else told it, as one line of text."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from coc.consensus.finality.faults import CheckpointInvalid
from coc.primitives.errors import quoted
from coc.primitives.frozen import frozen
from coc.primitives.types import UINT64_MAX, Hash32, Height, format_data

_FORM: Final = re.compile(
    r"0x([0-9a-f]{64}):(0|[1-9][0-9]{0,19}):0x([0-9a-f]{64}):0x([0-9a-f]{64}):(0|[1-9][0-9]{0,19})", re.ASCII
)


@frozen
class Checkpoint:
    """A block of a chain, the hash of the set that votes on the height after it, and its time (FIN-10).

    All but genesis hash and block hash follow from these two; they are there so that a wrong character, or
    somebody's confusion of two blocks, cannot go unnoticed.
    """

    genesis_hash: Hash32
    height: Height
    block: Hash32
    next_set_hash: Hash32
    time_s: int

    def text(self) -> str:
        """`GENESIS:HEIGHT:BLOCK:SET:TIME`, hashes with 0x in lower case, numbers in decimal."""
        return (
            f"{format_data(self.genesis_hash)}:{self.height}:{format_data(self.block)}"
            f":{format_data(self.next_set_hash)}:{self.time_s}"
        )


_NAME: Final = re.compile(r"(0|[1-9][0-9]{0,19}):0x([0-9a-f]{64})", re.ASCII)


@frozen
class BlockName:
    """A final block that is trusted by height and hash alone; its header tells the rest of a checkpoint."""

    height: Height
    block: Hash32

    def text(self) -> str:
        """`HEIGHT:BLOCK`, as in a checkpoint."""
        return f"{self.height}:{format_data(self.block)}"


TrustedBlock: TypeAlias = Checkpoint | BlockName
"""What somebody who begins in the middle of a chain was told."""


def parse_trusted(text: str) -> TrustedBlock:
    """Read a checkpoint, or the height and the hash of its block.

    Raises:
        CheckpointInvalid: another form.
    """
    found = _NAME.fullmatch(text)
    if found is not None and int(found[1]) <= UINT64_MAX:
        return BlockName(Height(int(found[1])), Hash32(bytes.fromhex(found[2])))
    try:
        return parse_checkpoint(text)
    except CheckpointInvalid as refusal:
        raise CheckpointInvalid(
            refusal.what,
            why=refusal.why,
            cure="write HEIGHT:HASH of a final block, or the line GENESIS:HEIGHT:BLOCK:SET:TIME that"
            " `coc verify-finality --json` prints",
        ) from refusal


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointInvalid: another form.
    """
    found = _FORM.fullmatch(text)
    if found is not None and max(int(found[2]), int(found[5])) <= UINT64_MAX:
        genesis, block, set_hash = (Hash32(bytes.fromhex(found[part])) for part in (1, 3, 4))
        return Checkpoint(genesis, Height(int(found[2])), block, set_hash, int(found[5]))
    raise CheckpointInvalid(
        "not a checkpoint",
        why=f"got {quoted(text)}",
        cure="it is one line GENESIS:HEIGHT:BLOCK:SET:TIME, as `coc verify-finality --json` prints it",
    )
