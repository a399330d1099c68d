"""One waiting transaction, with the facts the pool compares read out once.

Reading an attribute of a native transaction builds a new Python object each time; the entry keeps what
admission, eviction and ordering look at again and again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coc.execution.mempool.inputs import PooledTransaction
from coc.primitives.types import Hash32, Millis

if TYPE_CHECKING:
    from coc.execution.mempool.sender import SenderQueue

UNSET_FLOOR = -1
"""A floor that no transaction has, so that a fresh entry's floors are always worked out."""


@dataclass(slots=True, eq=False)
class Entry:
    """A transaction and its place in its sender's queue. Fees in wei a gas, cost in wei, size in bytes."""

    transaction: PooledTransaction
    queue: SenderQueue
    hash: Hash32
    nonce: int
    fee_cap: int
    tip_cap: int
    blob_fee_cap: int
    is_blob: bool
    gas_limit: int
    cost: int
    size: int
    authorities: tuple[bytes, ...]
    arrival: int
    arrived_ms: Millis
    is_journalled: bool
    fee_floor: int = field(default=UNSET_FLOOR, init=False)
    """The lowest fee cap among this and the sender's earlier waiting transactions: what all of them can
    pay."""
    tip_floor: int = field(default=UNSET_FLOOR, init=False)
    """The lowest tip cap among the same."""


def entry_of(
    transaction: PooledTransaction,
    queue: SenderQueue,
    arrival: int,
    arrived_ms: Millis,
    *,
    is_journalled: bool,
) -> Entry:
    """Read the facts of a transaction once."""
    return Entry(
        transaction,
        queue,
        Hash32(transaction.hash),
        transaction.nonce,
        transaction.max_fee_per_gas,
        transaction.max_priority_fee_per_gas,
        transaction.max_fee_per_blob_gas,
        transaction.blob_count > 0,
        transaction.gas_limit,
        transaction.max_cost,
        transaction.size,
        tuple(transaction.authorities),
        arrival,
        arrived_ms,
        is_journalled,
    )


def effective_tip(fee_cap: int, tip_cap: int, base_fee: int) -> int:
    """What the proposer earns a gas at this base fee (EIP-1559); negative where it is not covered."""
    return min(tip_cap, fee_cap - base_fee)
