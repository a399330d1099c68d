"""What a node has promised, and whether it kept it.

A node promises a transaction when it answers `eth_sendRawTransaction`, and a block when it shows it as final.
A promise is kept if after any crash the transaction is in a block or in the pool, and the block is still the
one of its height. What was sent without an answer was not promised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

BATCH = 200


class PromiseBroken(AssertionError):
    """The node lost what it had acknowledged."""


class Chain(Protocol):
    """What the checks read of a node."""

    def batch(self, calls: Sequence[tuple[str, list[object]]]) -> list[Any]:
        """Results of several JSON-RPC calls, in order."""


class Promises:
    """A ledger that only grows. What was seen in a finalized block is asked for again only in the end."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, bool] = {}
        """Transaction hash to whether it has been seen in a finalized block."""
        self.final_blocks: dict[int, str] = {}

    def saw_final(self, number: int, block_hash: str) -> None:
        """Notes a finalized block. Raises PromiseBroken if its height has had another."""
        known = self.final_blocks.setdefault(number, block_hash)
        if known != block_hash:
            raise PromiseBroken(f"height {number} was final as {known} and is now {block_hash}")

    def acknowledge(self, transactions: Iterable[str]) -> None:
        """Notes transactions that the node has answered for."""
        for transaction in transactions:
            self.acknowledged.setdefault(transaction, False)

    def check(self, chain: Chain, *, everything: bool = False) -> None:
        """Asks for what is promised. Raises PromiseBroken and names what is lost."""
        self._check_blocks(chain, everything=everything)
        self._check_transactions(chain, everything=everything)

    def _check_blocks(self, chain: Chain, *, everything: bool) -> None:
        numbers = sorted(self.final_blocks) if everything else sorted(self.final_blocks)[-BATCH:]
        calls: list[tuple[str, list[object]]] = [("eth_getBlockByNumber", [hex(at), False]) for at in numbers]
        for number, block in zip(numbers, in_batches(chain, calls), strict=True):
            if block is None:
                raise PromiseBroken(f"final block {number} {self.final_blocks[number]} is lost")
            self.saw_final(number, block["hash"])

    def _check_transactions(self, chain: Chain, *, everything: bool) -> None:
        asked = [name for name, final in self.acknowledged.items() if everything or not final]
        calls: list[tuple[str, list[object]]] = [("eth_getTransactionByHash", [name]) for name in asked]
        lost = []
        final_up_to = max(self.final_blocks, default=-1)
        for name, found in zip(asked, in_batches(chain, calls), strict=True):
            if found is None:
                lost.append(name)
            elif found["blockNumber"] is not None and int(found["blockNumber"], 16) <= final_up_to:
                self.acknowledged[name] = True
        if lost:
            raise PromiseBroken(
                f"{len(lost)} of {len(asked)} acknowledged transactions are lost, as {lost[0]}"
            )


def in_batches(chain: Chain, calls: Sequence[tuple[str, list[object]]]) -> list[Any]:
    """All results, asked for in batches of a size that every node takes."""
    return [
        result
        for start in range(0, len(calls), BATCH)
        for result in chain.batch(calls[start : start + BATCH])
    ]
