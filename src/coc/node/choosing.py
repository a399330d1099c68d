"""Which waiting transactions are handed to the builder."""

from __future__ import annotations

from collections.abc import Sequence

from coc.execution.mempool.inputs import PooledTransaction
from coc.execution.mempool.pool import Mempool
from coc.primitives.limits import BUILD_TRANSACTIONS_MAX

CHOSEN_GAS_SHARES = 4
"""The builder is handed transactions whose gas limits add up to this many blocks.

Most use far less than their limit.
"""


def choose(pool: Mempool) -> Sequence[PooledTransaction]:
    """The best transactions, as many as a block could hold."""
    gas_max = pool.head.gas_limit * CHOSEN_GAS_SHARES
    chosen: list[PooledTransaction] = []
    gas = 0
    for transaction in pool.best():
        gas += transaction.gas_limit
        if chosen and (gas > gas_max or len(chosen) >= BUILD_TRANSACTIONS_MAX):
            break
        chosen.append(transaction)
    return chosen
