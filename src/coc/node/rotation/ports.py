"""What a node of a rotation chain needs of the native chain beyond what every validator needs."""

from __future__ import annotations

from typing import Any, Protocol

from coc.node.validator.ports import ChainHandle


class BranchingChain(ChainHandle, Protocol):
    """A chain that holds branches, and whose head moves between them."""

    def record(self, block: bytes, seal: bytes) -> None:
        """Write an executed block into the log, durably; the head stays."""
        ...

    def set_head(self, block: bytes) -> None:
        """Make a block of the log the head."""
        ...

    def admit(self, head: bytes, raws: list[bytes]) -> list[Any]:
        """Verdicts on raw transactions."""
        ...

    def transaction_count(self, block: bytes) -> int | None:
        """Of a block."""
        ...

    def transaction_raw(self, block: bytes, index: int) -> bytes | None:
        """A transaction's bytes."""
        ...
