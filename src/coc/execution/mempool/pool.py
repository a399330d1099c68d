"""The mempool machine: one input in, effects out, an order for the builder, a view for everyone else.

Rules it keeps, whatever the order of inputs:

* what is acknowledged is in the journal first, and leaves only with an effect that says so;
* a sender's nonce order is never broken by eviction, and one nonce of a sender waits at most once;
* at admission the full costs of all that waits of a sender are covered by its balance; when the balance
shrinks
  later they wait, and go first when room is needed;
* counts, bytes and the number a sender are bounded by `PoolLimits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from coc.execution.mempool import refusals
from coc.execution.mempool.admission import Admission, PoolLimits, admit
from coc.execution.mempool.effects import (
    Acknowledge,
    Added,
    BecameReady,
    Dropped,
    Effect,
    Evicted,
    Included,
    JournalAppend,
    JournalRewrite,
    JudgeAgain,
    Refuse,
    Replaced,
)
from coc.execution.mempool.entry import Entry, entry_of
from coc.execution.mempool.holdings import Holdings
from coc.execution.mempool.inputs import (
    Candidate,
    Head,
    HeadChanged,
    Input,
    JournalFailed,
    Judged,
    Origin,
    PooledTransaction,
    Standing,
    Submit,
)
from coc.execution.mempool.ordering import best
from coc.execution.mempool.refusals import Refusal
from coc.execution.mempool.view import PoolView
from coc.primitives.types import Address, Hash32, Millis


class Mempool:
    """Transactions that wait for a block, on top of one head."""

    def __init__(self, head: Head, bounds: PoolLimits, *, has_journal: bool) -> None:
        """Start empty on `head`; without a journal an acknowledgement ends with this process."""
        self.head = head
        self._bounds = bounds
        self._has_journal = has_journal
        self._holdings = Holdings(head.base_fee)
        self.view = PoolView(self._holdings)
        self._journal_bytes = 0
        self._arrivals = 0
        self._unsettled: list[Effect] = []

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        if isinstance(event, JournalFailed):
            return self._on_journal_failed(event)
        self._unsettled = []
        self._holdings.settle()
        match event:
            case Submit():
                return self._on_submit(now_ms, event)
            case HeadChanged():
                return self._on_head_changed(now_ms, event)
            case Judged():
                return self._on_judged(event)
            case _:
                assert_never(event)

    def _on_submit(self, now_ms: Millis, event: Submit) -> list[Effect]:
        if event.head != self.head.hash:
            return [JudgeAgain([candidate.transaction for candidate in event.candidates], event.origin)]
        effects: list[Effect] = []
        raws = self._admit_all(now_ms, event.origin, event.candidates, effects)
        if raws:
            self._unsettled = effects
            return [JournalAppend(raws), *effects]
        return effects

    def _on_head_changed(self, now_ms: Millis, event: HeadChanged) -> list[Effect]:
        holdings = self._holdings
        self.head = event.head
        holdings.tails.reset(event.head.base_fee)
        effects: list[Effect] = []
        gone: list[Entry] = []
        for address, account in event.changed.items():
            queue = holdings.senders.get(address)
            if queue is None:
                continue
            ready_before = queue.ready_end
            queue.set_account(account)
            first = max(ready_before, account.nonce)
            if first < queue.ready_end:
                effects.append(
                    BecameReady([queue.entries[nonce].hash for nonce in range(first, queue.ready_end)])
                )
            gone += holdings.leave_passed(queue)
        effects += _departures(gone, event.included)
        raws = self._admit_all(now_ms, Origin.ORPHAN, event.orphaned, effects)
        if event.rules_changed and holdings.by_hash:
            effects.append(JudgeAgain([entry.transaction for entry in holdings.by_hash.values()], None))
        effects += self._journal_upkeep()
        holdings.settle()
        if raws:  # last, because nothing is performed after a record that cannot be written
            effects.append(JournalAppend(raws))
        return effects

    def _on_judged(self, event: Judged) -> list[Effect]:
        if event.head != self.head.hash:
            known = (self._holdings.by_hash.get(hash_) for hash_, _ in event.verdicts)
            stale = [entry.transaction for entry in known if entry is not None]
            return [JudgeAgain(stale, None)] if stale else []
        effects: list[Effect] = []
        for hash_, verdict in event.verdicts:
            entry = self._holdings.by_hash.get(hash_)
            if entry is not None and verdict.standing is Standing.NEVER:
                self._holdings.remove(entry)
                effects.append(Dropped(hash_, verdict.code, verdict.sentence))
        return effects

    def _on_journal_failed(self, event: JournalFailed) -> list[Effect]:
        """Undo the last submission and refuse all that it would have acknowledged."""
        sentence = f"the transaction journal cannot be written: {event.reason}"
        undone: list[Effect] = []
        for effect in self._unsettled:
            if isinstance(effect, Acknowledge):
                undone.append(Refuse(effect.hash, refusals.JOURNAL_FAILED, sentence))
            elif isinstance(effect, Refuse):
                undone.append(effect)
        self._unsettled = []
        self._holdings.roll_back(0)
        return undone

    def _admit_all(
        self, now_ms: Millis, origin: Origin, candidates: Sequence[Candidate], effects: list[Effect]
    ) -> list[bytes]:
        """Admit or refuse each candidate in turn; return what must be in the journal before `effects`."""
        holdings = self._holdings
        is_local = origin is Origin.LOCAL
        is_new = is_local or origin is Origin.PEER
        is_journalled = self._has_journal and origin is not Origin.PEER
        raws: list[bytes] = []
        for candidate in candidates:
            transaction = candidate.transaction
            hash_ = Hash32(transaction.hash)
            if hash_ in holdings.by_hash:
                if is_new:
                    effects.append(
                        Refuse(hash_, refusals.ALREADY_KNOWN.code, refusals.ALREADY_KNOWN.sentence)
                    )
                continue
            verdict = candidate.verdict
            if verdict.standing is Standing.NEVER:
                effects.append(_turned_away(hash_, verdict.code, verdict.sentence, is_new=is_new))
                continue
            queue = holdings.queue_of(Address(transaction.sender), candidate.account)
            self._arrivals += 1
            entry = entry_of(transaction, queue, self._arrivals, now_ms, is_journalled=is_journalled)
            outcome = admit(holdings, self._bounds, entry, must_be_funded=is_new)
            if isinstance(outcome, Refusal):
                effects.append(_turned_away(hash_, outcome.code, outcome.sentence, is_new=is_new))
                continue
            if is_journalled:
                self._journal_bytes += entry.size
                if origin is not Origin.JOURNAL:
                    raws.append(transaction.raw)
            if is_local:
                effects.append(Acknowledge(hash_))
            effects += _published(entry, outcome)
            self.view.note_arrival(hash_)
        return raws

    def _journal_upkeep(self) -> list[Effect]:
        """Ask for a new journal once the dead records in it outweigh the living ones."""
        live = self._holdings.journalled_bytes
        if self._journal_bytes - live <= live + self._bounds.journal_slack_bytes_max:
            return []
        self._journal_bytes = live
        entries = self._holdings.by_hash.values()
        return [JournalRewrite([entry.transaction.raw for entry in entries if entry.is_journalled])]

    def best(self) -> Iterator[PooledTransaction]:
        """What can run in the head's child, best first; read it before the next step."""
        return (entry.transaction for entry in best(self._holdings.senders.values(), self.head))


def _turned_away(hash_: Hash32, code: str, sentence: str, *, is_new: bool) -> Effect:
    """A new transaction is refused; one that was acknowledged before is published as dropped."""
    return Refuse(hash_, code, sentence) if is_new else Dropped(hash_, code, sentence)


def _published(entry: Entry, outcome: Admission) -> list[Effect]:
    """What the world learns of one admission."""
    effects: list[Effect] = []
    if outcome.replaced is not None:
        effects.append(Replaced(outcome.replaced.hash, entry.hash))
    for victim in outcome.evicted:
        is_own = victim.queue is entry.queue
        sentence = refusals.EVICTED_BY_SENDER_SENTENCE if is_own else refusals.EVICTED_SENTENCE
        effects.append(Evicted(victim.hash, sentence))
    effects.append(Added(entry.transaction, entry.nonce < entry.queue.ready_end))
    if outcome.promoted:
        effects.append(BecameReady([other.hash for other in outcome.promoted]))
    return effects


def _departures(gone: Sequence[Entry], included: Sequence[Hash32]) -> list[Effect]:
    """Tell apart what the chain took and what another transaction with the same nonce made void."""
    in_chain = set(included)
    taken = [entry.hash for entry in gone if entry.hash in in_chain]
    void = [entry.hash for entry in gone if entry.hash not in in_chain]
    effects: list[Effect] = [Included(taken)] if taken else []
    effects += [Dropped(hash_, refusals.NONCE_USED, refusals.NONCE_USED_SENTENCE) for hash_ in void]
    return effects
