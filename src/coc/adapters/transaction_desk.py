"""Where raw transactions come in and each one's fate goes out, exactly once.

A call's transactions are judged natively at the pool's head: one alone on the loop's thread, many on another.
Judged they go to the node's machine as one input; its effects settle them one by one, and when the last of a
call is settled the caller is told. Whatever goes wrong on the way settles them too, as a failure of the node.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from coc._native import Chain, Transaction
from coc.adapters import chain_port
from coc.adapters.workers import Workers
from coc.execution.mempool.effects import JudgeAgain
from coc.execution.mempool.inputs import Candidate, Judged, Origin
from coc.node.inputs import Arrived
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32
from coc.rpc.ports import Outcome, Refused

Done: TypeAlias = Callable[[Sequence[Outcome]], None]
JudgedRaws: TypeAlias = list[Candidate | Exception]


class TransactionDesk:
    """Transactions of clients between their arrival and their answer."""

    def __init__(
        self,
        chain: Chain,
        workers: Workers,
        pool_head: Callable[[], Hash32],
        feed: Callable[[Arrived | Judged], None],
    ) -> None:
        """`pool_head` is the block that the pool stands on, `feed` hands an input to the node."""
        self._chain = chain
        self._workers = workers
        self._pool_head = pool_head
        self._feed = feed
        self._waiting: dict[bytes, deque[_Place]] = {}

    def submit_many(self, raws: list[bytes], judged: Callable[[], None], done: Done) -> None:
        """Admit raw transactions; `done` is called once, with one outcome a transaction in their order.

        `judged` is called once before it, when others may be handed in; several are never admitted before
        those that were handed in earlier.
        """
        head = self._pool_head()
        if len(raws) == 1:
            result = chain_port.judge_raw(self._chain, head, raws)
            judged()
            self._admit(head, result, done)
            return

        def admit(result: JudgedRaws | Exception) -> None:
            judged()
            if isinstance(result, Exception):
                done([result] * len(raws))
            else:
                self._admit(head, result, done)

        self._workers.run(lambda: chain_port.judge_raw(self._chain, head, raws), admit)

    def submit_from_peer(self, raws: Sequence[bytes]) -> None:
        """Judge transactions that a peer sent, and hand them in; nobody waits for an answer."""
        head = self._pool_head()
        wanted = list(raws)

        def judged(result: JudgedRaws | Exception) -> None:
            if not isinstance(result, Exception):
                candidates = [each for each in result if isinstance(each, Candidate)]
                self._feed(Arrived(head, Origin.PEER, candidates))

        self._workers.run(lambda: chain_port.judge_raw(self._chain, head, wanted), judged)

    def settle(self, hash_: bytes, outcome: Outcome) -> None:
        """Tell the one who has waited longest for this transaction what became of it."""
        waiting = self._waiting.get(hash_)
        if waiting is None:
            return
        place = waiting.popleft()
        while waiting and place.is_settled():
            place = waiting.popleft()
        if not waiting:
            del self._waiting[hash_]
        place.settle(outcome)

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
        except Exception as error:  # noqa: BLE001 - the edge: each waiting call must learn of the failure
            for transaction in transactions:
                self.settle(transaction.hash, error)
            return
        self._feed(Arrived(head, origin, candidates))

    def _admit(self, head: Hash32, judged: JudgedRaws, done: Done) -> None:
        call = _Call(len(judged), done)
        candidates: list[Candidate] = []
        for index, entry in enumerate(judged):
            place = _Place(call, index)
            if isinstance(entry, Exception):
                place.settle(Refused(entry.args[1], entry.args[0]))
                continue
            candidates.append(entry)
            self._waiting.setdefault(entry.transaction.hash, deque()).append(place)
        if not candidates:
            return
        try:
            self._feed(Arrived(head, Origin.LOCAL, candidates))
        except Exception as error:  # noqa: BLE001 - the edge: a defect must not leave a client waiting
            call.fail(error)
            defect = {"message": "transactions could not be taken", "exception": error}
            asyncio.get_running_loop().call_exception_handler(defect)


@frozen
class _Place:
    """One transaction of a call."""

    call: _Call
    index: int

    def is_settled(self) -> bool:
        return self.call.outcomes[self.index] is not None

    def settle(self, outcome: Outcome) -> None:
        self.call.settle(self.index, outcome)


class _Call:
    """One call's outcomes as they come in."""

    def __init__(self, count: int, done: Done) -> None:
        self.outcomes: list[Outcome | None] = [None] * count
        self._left = count
        self._done = done

    def settle(self, index: int, outcome: Outcome) -> None:
        """Note what became of one; with the last of them the caller is told."""
        if self.outcomes[index] is not None:
            return
        self.outcomes[index] = outcome
        self._left -= 1
        if not self._left:
            self._done([each for each in self.outcomes if each is not None])

    def fail(self, error: Exception) -> None:
        """Settle all that are left."""
        for index in range(len(self.outcomes)):
            self.settle(index, error)
