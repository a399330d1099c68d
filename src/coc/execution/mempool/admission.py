"""May this transaction wait, and who must leave for it?

The rules run from the cheapest to the dearest; each returns a `Refusal` or lets the next one speak. Only when
all are content is anything changed, and if room cannot be made the changes are taken back.
"""

from __future__ import annotations

from coc.execution.mempool import refusals
from coc.execution.mempool.entry import Entry
from coc.execution.mempool.holdings import Holdings
from coc.execution.mempool.refusals import Refusal
from coc.execution.mempool.sender import SenderQueue
from coc.primitives import limits
from coc.primitives.frozen import frozen
from coc.primitives.types import Address


@frozen
class PoolLimits:
    """The pool's bounds; a devnet may be given smaller ones."""

    transactions_max: int = limits.MEMPOOL_TRANSACTIONS_MAX
    bytes_max: int = limits.MEMPOOL_BYTES_MAX
    sender_transactions_max: int = limits.MEMPOOL_SENDER_TRANSACTIONS_MAX
    transaction_bytes_max: int = limits.MEMPOOL_TRANSACTION_BYTES_MAX
    journal_slack_bytes_max: int = limits.MEMPOOL_JOURNAL_SLACK_BYTES_MAX


@frozen
class Admission:
    """A transaction was taken: what left for it and what it made ready, itself not counted."""

    replaced: Entry | None
    evicted: tuple[Entry, ...]
    promoted: tuple[Entry, ...]


def admit(
    holdings: Holdings, bounds: PoolLimits, entry: Entry, *, must_be_funded: bool
) -> Admission | Refusal:
    """Take `entry` into the queue it names, or say why not and change nothing."""
    queue = entry.queue
    old = queue.entries.get(entry.nonce)
    refusal = (
        _own_form(bounds, entry, queue)
        or (old is not None and _replacement(old, entry))
        or _delegation(holdings, entry, queue)
        or (must_be_funded and _funds(entry, queue, old))
        or (old is None and _sender_room(bounds, entry, queue))
    )
    if refusal:
        return refusal
    mark = holdings.mark()
    ready_before = queue.ready_end
    if old is not None:
        holdings.remove(old)
    holdings.insert(entry)
    promoted: tuple[Entry, ...] = ()
    if old is None and queue.ready_end > ready_before + 1:
        promoted = tuple(queue.entries[nonce] for nonce in range(ready_before + 1, queue.ready_end))
    over_sender = len(queue.nonces) > bounds.sender_transactions_max
    if not over_sender and not _is_over(holdings, bounds):
        return Admission(old, (), promoted)
    evicted = []
    if over_sender:
        evicted.append(queue.tail)
        holdings.remove(queue.tail)
    while _is_over(holdings, bounds):
        victim = _victim(holdings, entry)
        if victim is None:
            holdings.roll_back(mark)
            return refusals.POOL_FULL
        holdings.remove(victim)
        evicted.append(victim)
    return Admission(old, tuple(evicted), tuple(other for other in promoted if other not in evicted))


def _own_form(bounds: PoolLimits, entry: Entry, queue: SenderQueue) -> Refusal | None:
    if entry.size > bounds.transaction_bytes_max:
        return Refusal(
            refusals.OVERSIZED,
            f"oversized data: {entry.size} bytes where the pool takes {bounds.transaction_bytes_max}",
        )
    if entry.nonce < queue.account.nonce:
        return Refusal(
            refusals.NONCE_TOO_LOW,
            f"nonce too low: next nonce {queue.account.nonce}, tx nonce {entry.nonce}",
        )
    return None


def _replacement(old: Entry, new: Entry) -> Refusal | None:
    """Replacing costs more on every cap, so that the pool's work is paid for."""
    if old.is_blob != new.is_blob:
        return refusals.REPLACEMENT_KIND
    percent = limits.MEMPOOL_REPLACEMENT_PERCENT_MIN
    if old.is_blob:
        percent = limits.MEMPOOL_BLOB_REPLACEMENT_PERCENT_MIN
    pairs = [("fee cap", old.fee_cap, new.fee_cap), ("tip cap", old.tip_cap, new.tip_cap)]
    if old.is_blob:
        pairs.append(("blob fee cap", old.blob_fee_cap, new.blob_fee_cap))
    for name, before, after in pairs:
        least = max(before + 1, -(-before * (100 + percent) // 100))
        if after < least:
            return Refusal(
                refusals.REPLACEMENT_UNDERPRICED,
                f"replacement transaction underpriced: {name} {after} wei, at least {least} wei is needed",
            )
    return None


def _delegation(holdings: Holdings, entry: Entry, queue: SenderQueue) -> Refusal | None:
    """Accounts whose code may spend their balance hold one waiting transaction (EIP-7702, as geth).

    Anyone may empty such an account, which would make all that waits of it worthless at no cost.
    """
    limit = limits.MEMPOOL_DELEGATED_TRANSACTIONS_MAX
    if (queue.account.has_code or holdings.has_authority(queue.address)) and entry.nonce not in queue.entries:
        if len(queue.nonces) >= limit:
            return refusals.DELEGATED_LIMIT
        if entry.nonce != queue.ready_end:
            return refusals.DELEGATED_GAPPED
    for authority in entry.authorities:
        other = holdings.senders.get(Address(authority))
        if other is not None and len(other.nonces) > limit:
            return refusals.AUTHORITY_RESERVED
    return None


def _funds(entry: Entry, queue: SenderQueue, old: Entry | None) -> Refusal | None:
    waiting = queue.cost_total - (old.cost if old is not None else 0)
    if waiting + entry.cost <= queue.account.balance:
        return None
    sentence = (
        f"insufficient funds for gas * price + value: balance {queue.account.balance} wei,"
        f" tx cost {entry.cost} wei"
    )
    if waiting:
        sentence += f", waiting transactions {waiting} wei"
    return Refusal(refusals.INSUFFICIENT_FUNDS, sentence)


def _sender_room(bounds: PoolLimits, entry: Entry, queue: SenderQueue) -> Refusal | None:
    """A full queue takes only an earlier nonce, for which its tail leaves."""
    if len(queue.nonces) < bounds.sender_transactions_max or entry.nonce < queue.nonces[-1]:
        return None
    return Refusal(
        refusals.SENDER_FULL,
        f"account limit exceeded: {len(queue.nonces)} transactions of this sender are waiting already",
    )


def _is_over(holdings: Holdings, bounds: PoolLimits) -> bool:
    return len(holdings.by_hash) > bounds.transactions_max or holdings.bytes_total > bounds.bytes_max


def _victim(holdings: Holdings, entry: Entry) -> Entry | None:
    """The tail that leaves for `entry`, which waits already; `None` when nothing is worth less."""
    worst = holdings.tails.worst()
    if worst is None or worst[1] is entry:
        return None
    rank, victim = worst
    if victim.queue is not entry.queue and rank > holdings.tails.rank_of(entry.queue, entry):
        return None
    return victim
