"""One line at the bottom of the terminal that is written over with each block."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

from coc.cli.catching_up import CatchUp


class BlockFacts(Protocol):
    """What the line shows of a block."""

    @property
    def number(self) -> int: ...  # noqa: D102 - a block's height
    @property
    def transaction_count(self) -> int: ...  # noqa: D102
    @property
    def gas_used(self) -> int: ...  # noqa: D102
    @property
    def gas_limit(self) -> int: ...  # noqa: D102


class LiveLine:
    """Shows the newest block; silent where nobody looks."""

    def __init__(self, *, enabled: bool, goal: Callable[[], int | None] = lambda: None) -> None:
        """`enabled` on a terminal only: a file would fill up. `goal`: the newest of peers that are ahead."""
        self._enabled = enabled
        self._goal = goal
        self._catch_up = CatchUp()
        self._transactions = 0

    def on_block(self, head: BlockFacts) -> None:
        """Write over the line."""
        self._transactions += head.transaction_count
        if not self._enabled:
            return
        goal = self._goal()
        if goal is not None and goal > head.number:
            self._write(f"\r\x1b[K{self._catch_up.text(head.number, goal, time.monotonic())}")
            return
        ended = self._catch_up.end()
        if ended:
            self._write(f"\r\x1b[K{ended}\n")
        share = 100 * head.gas_used / head.gas_limit if head.gas_limit else 0
        text = (
            f"  ▸ block {head.number:,}   {head.transaction_count:,} tx in it   "
            f"{self._transactions:,} in all   {share:.0f} % full   {time.strftime('%H:%M:%S')}"
        )
        self._write(f"\r\x1b[K{text}")

    def close(self) -> None:
        """Leave the line."""
        if self._enabled:
            self._write("\n")

    def _write(self, text: str) -> None:
        """Write to the terminal; once that is gone, the node goes on without it."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            self._enabled = False
