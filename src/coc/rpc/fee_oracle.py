"""Which priority fee to suggest: the median of what recent blocks paid.

The 60th percentile of the tips of each of the last `_BLOCKS` blocks is remembered, so a new head costs one
block's reading. Blocks without transactions say nothing; when all are silent, the suggestion is the default.
"""

from __future__ import annotations

from collections import deque
from statistics import median_low
from typing import Final

import msgspec

from coc.rpc.ports import Chain

_BLOCKS: Final = 20
_PERCENTILE: Final = 60.0


class _History(msgspec.Struct):
    """The part of a fee history that the suggestion needs."""

    used: list[float] = msgspec.field(name="gasUsedRatio")
    reward: list[list[str]] = []


class FeeOracle:
    """Remembers the tips of the blocks up to the newest head it was asked about."""

    __slots__ = ("_head", "_quiet_wei", "_tips", "_wei_min")

    def __init__(self, wei_default: int, wei_min: int) -> None:
        """`wei_default` is suggested on a quiet chain, `wei_min` is the least ever suggested."""
        self._quiet_wei = max(wei_default, wei_min)
        self._wei_min = wei_min
        self._head = b""
        self._tips: deque[int | None] = deque(maxlen=_BLOCKS)

    def priority_fee(self, chain: Chain) -> int:
        """Suggested `maxPriorityFeePerGas` in wei for the block after the head."""
        head = chain.head
        if head.hash != self._head:
            follows = head.parent_hash == self._head
            if not follows:
                self._tips.clear()
            self._tips.extend(_tips(chain, head.hash, 1 if follows else min(_BLOCKS, head.number + 1)))
            self._head = head.hash
        paid = [tip for tip in self._tips if tip is not None]
        return max(median_low(paid), self._wei_min) if paid else self._quiet_wei


def _tips(chain: Chain, newest: bytes, blocks: int) -> list[int | None]:
    """A tip for each block, oldest first; None for one without transactions."""
    history = msgspec.json.decode(chain.fee_history_json(newest, blocks, [_PERCENTILE]), type=_History)
    return [
        int(row[0], 16) if used > 0 and row else None
        for row, used in zip(history.reward, history.used, strict=False)
    ]
