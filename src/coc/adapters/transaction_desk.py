"""Where raw transactions come in and each one's fate goes out, exactly once.

A call's transactions are judged natively at the pool's head: one alone on the loop's thread, many on another.
Judged they go to the node's machine as one input; its effects settle them one by one, and when the last of a
call is settled the caller is told. Whatever goes wrong on the way settles them too, as a failure of the node.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from coc._native import Chain, Transaction, TransactionInvalid
from coc.adapters import chain_port
from coc.adapters.workers import Workers
from coc.execution.mempool.effects import JudgeAgain
from coc.execution.mempool.inputs import Candidate, Judged, Origin
from coc.node.inputs import Arrived, Input
from coc.primitives.types import Hash32
from coc.rpc.ports import Outcome, Refused

Done: TypeAlias = Callable[[Sequence[Outcome]], None]
JudgedRaws: TypeAlias = list[Candidate | TransactionInvalid]


class TransactionDesk:
    """Transactions of clients between their arrival and their answer."""

    def __init__(
        self,
        chain: Chain,
        workers: Workers,
        pool_head: Callable[[], Hash32],
        feed: Callable[[Input], None],
    ) -> None:
        """`pool_head` is the block that the pool stands on, `feed` hands an input to the node."""
        self._chain = chain
        self._workers = workers
        self._pool_head = pool_head
        self._feed = feed
        self._waiting: dict[bytes, deque[Callable[[Outcome], None]]] = {}

    def submit_many(self, raws: list[bytes], done: Done) -> None:
        """Admit raw transactions; `done` is called once, with one outcome a transaction in their order."""
        head = self._pool_head()
        if len(raws) == 1:
            self._admit(head, chain_port.judge_raw(self._chain, head, raws), done)
            return

        def judged(result: JudgedRaws | Exception) -> None:
            if isinstance(result, Exception):
                done([result] * len(raws))
            else:
                self._admit(head, result, done)

        self._workers.run(lambda: chain_port.judge_raw(self._chain, head, raws), judged)

    def settle(self, hash_: bytes, outcome: Outcome) -> None:
        """Tell the one who has waited longest for this transaction what became of it."""
        waiting = self._waiting.get(hash_)
        if waiting:
            tell = waiting.popleft()
            if not waiting:
                del self._waiting[hash_]
            tell(outcome)

    def judge_again(self, effect: JudgeAgain) -> None:
        """Judge transactions at the pool's head of now.

        Those of clients at once, on the loop's thread: the head cannot move meanwhile, so the answer fits.
        Those that wait in the pool may be many, and nobody waits for them: on another thread.
        """
        head = self._pool_head()
        transactions = [each for each in effect.transactions if isinstance(each, Transaction)]
        if effect.origin is not None:
            self._arrive_again(head, effect.origin, transactions)
            return

        def judged(result: list[Candidate] | Exception) -> None:
            if isinstance(result, Exception):
                return  # they wait on as they were; the next block judges those again that it refuses
            verdicts = [(Hash32(each.transaction.hash), each.verdict) for each in result]
            self._feed(Judged(head, verdicts))

        self._workers.run(lambda: chain_port.judge_again(self._chain, head, transactions), judged)

    def _arrive_again(self, head: Hash32, origin: Origin, transactions: list[Transaction]) -> None:
        try:
            candidates = chain_port.judge_again(self._chain, head, transactions)
        except chain_port.NATIVE_ERRORS as error:
            for transaction in transactions:
                self.settle(transaction.hash, error)
            return
        self._feed(Arrived(head, origin, candidates))

    def _admit(self, head: Hash32, judged: JudgedRaws, done: Done) -> None:
        call = _Call(len(judged), done)
        candidates: list[Candidate] = []
        invalid: list[tuple[int, Refused]] = []
        for index, entry in enumerate(judged):
            if isinstance(entry, TransactionInvalid):
                invalid.append((index, Refused(entry.args[1], entry.args[0])))
                continue
            candidates.append(entry)
            self._waiting.setdefault(entry.transaction.hash, deque()).append(call.settler(index))
        for index, refusal in invalid:
            call.settler(index)(refusal)
        if candidates:
            self._feed(Arrived(head, Origin.LOCAL, candidates))


class _Call:
    """One call's outcomes as they come in."""

    def __init__(self, count: int, done: Done) -> None:
        self._outcomes: list[Outcome | None] = [None] * count
        self._left = count
        self._done = done

    def settler(self, index: int) -> Callable[[Outcome], None]:
        """What settles the transaction at this index."""

        def settle(outcome: Outcome) -> None:
            if self._outcomes[index] is not None:
                return
            self._outcomes[index] = outcome
            self._left -= 1
            if not self._left:
                self._done([each for each in self._outcomes if each is not None])

        return settle
