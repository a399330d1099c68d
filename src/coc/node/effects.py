"""Everything a node can ask for. Effects are performed in the order of the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from coc.consensus.rotation.engine import Decide, Fulfilled, SetTimer, Sign
from coc.execution.mempool.effects import Effect as PoolEffect
from coc.execution.mempool.inputs import PooledTransaction
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32


@frozen
class BuildBlock:
    """Build a block on `parent` from these transactions, in this order.

    Answered by `BlockBuilt` or `SealingFailed`.
    """

    parent: Hash32
    timestamp_s: int
    consensus_data: bytes
    transactions: Sequence[PooledTransaction]


Effect: TypeAlias = SetTimer | BuildBlock | Sign | Decide | Fulfilled | PoolEffect
