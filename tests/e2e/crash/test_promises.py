"""The ledger of promises tells kept from broken ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.e2e.crash.promises import PromiseBroken, Promises


class Memory:
    """A node reduced to its blocks by number and its transactions by hash (None: waiting in the pool)."""

    def __init__(self, blocks: dict[int, str], transactions: dict[str, int | None]) -> None:
        self._blocks = blocks
        self._transactions = transactions
        self.asked: list[str] = []

    def batch(self, calls: Sequence[tuple[str, list[object]]]) -> list[Any]:
        return [self._answer(method, str(params[0])) for method, params in calls]

    def _answer(self, method: str, key: str) -> dict[str, Any] | None:
        if method == "eth_getBlockByNumber":
            block = self._blocks.get(int(key, 16))
            return None if block is None else {"hash": block}
        self.asked.append(key)
        if key not in self._transactions:
            return None
        number = self._transactions[key]
        return {"blockNumber": None if number is None else hex(number)}


def promised() -> Promises:
    promises = Promises()
    promises.saw_final(1, "0xb1")
    promises.acknowledge(["0xa", "0xb"])
    return promises


def test_transactions_in_a_block_or_in_the_pool_are_kept() -> None:
    promises = promised()
    promises.check(Memory({1: "0xb1"}, {"0xa": 1, "0xb": None}))
    assert promises.acknowledged == {"0xa": True, "0xb": False}


def test_a_transaction_in_neither_is_lost() -> None:
    with pytest.raises(PromiseBroken, match="1 of 2 acknowledged transactions are lost, as 0xb"):
        promised().check(Memory({1: "0xb1"}, {"0xa": 1}))


def test_a_final_block_that_is_gone_is_lost() -> None:
    with pytest.raises(PromiseBroken, match="final block 1 0xb1 is lost"):
        promised().check(Memory({}, {"0xa": None, "0xb": None}))


def test_a_height_with_another_block_than_the_final_one_is_a_broken_promise() -> None:
    with pytest.raises(PromiseBroken, match="height 1 was final as 0xb1 and is now 0xb2"):
        promised().check(Memory({1: "0xb2"}, {"0xa": None, "0xb": None}))


def test_what_is_final_is_asked_for_again_only_in_the_end() -> None:
    promises = promised()
    chain = Memory({1: "0xb1"}, {"0xa": 1, "0xb": None})
    promises.check(chain)
    promises.check(chain)
    promises.check(chain, everything=True)
    assert chain.asked == ["0xa", "0xb", "0xb", "0xa", "0xb"]
