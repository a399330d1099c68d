"""Bounds of the rotation machine and of the tree it chooses from.

Whatever does not fit is dropped and heard of again by status, so that none of these bounds can cost more than
time. Each is met by a test.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.limits import GENESIS_VALIDATORS_MAX

FORK_TREE_BLOCKS_MAX: Final = 4_096
"""Blocks above the final one in the tree, some 1 MiB: the longest branch and many times as many beside it."""

UNFINAL_BLOCKS_MAX: Final = 512
"""Blocks above the final one on which anybody may build: it bounds what a reorganisation costs, some minutes
of execution. Beyond it only those build whose signature is missing.
"""

HELD_SEALS_MAX: Final = 256
"""Seals kept until their slot begins: two for each slot of the largest set."""

HELD_SLOTS_AHEAD_MAX: Final = 128
"""How many slots ahead of the clock a seal is held: a turn of the largest set, and no clock is that wrong."""

PENDING_BLOCKS_MAX: Final = 1_024
"""Sealed blocks on their way into the tree: two branches of the longest kind."""

BODIES_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes of blocks on their way into the tree: some ten answers with ranges. The highest block makes room, and
is asked for again when those below it are there.
"""

SLOT_BLOCKS_TAKEN_MAX: Final = 2
"""Blocks of one slot that are taken as announced: with the second its proposer is convicted."""

SLOTS_REMEMBERED_MAX: Final = 2_048
"""Slots whose seals are remembered to find a second one: four times the blocks that may be taken back."""

REFUSED_BLOCKS_MAX: Final = 1_024
"""Names of blocks that were found invalid: remembered so that each is executed once."""

DOUBLE_SEALS_MAX: Final = 1_000
"""Pieces of evidence kept, oldest out first: one convicts, the others repeat it."""

BLOCK_SOURCES_MAX: Final = 8
"""Peers remembered as holding one block: any one is enough."""

FETCHES_PER_STATUS_MAX: Final = 64
"""Blocks asked for again with one status, those of the lowest slots: the others stand on them or can wait."""

RANGE_BEHIND_BLOCKS_MIN: Final = 16
"""How far behind a peer a node asks for ranges: below it block after block is as fast."""

FINAL_DEPTH_BLOCKS_DEFAULT: Final = 6
"""Blocks above a block that make it final where genesis says nothing else."""

FINAL_DEPTH_BLOCKS_MAX: Final = 256
"""The greatest depth that a genesis may ask for: half of what may be built above the final block at all."""

assert UNFINAL_BLOCKS_MAX + GENESIS_VALIDATORS_MAX < FORK_TREE_BLOCKS_MAX // 2  # noqa: S101 - a branch leaves room
