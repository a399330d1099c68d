"""Carrying an exchange to its end: its jobs go to the pool, to the submissions or to the node, and back.

Everything except the pooled closures runs on the loop's thread. An abandoned carriage (its client has gone)
starts no further job; one that is already running ends and is forgotten.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, assert_never

from coc.adapters.http.submissions import Submissions
from coc.rpc.errors import unavailable
from coc.rpc.exchange import Exchange, Ticket
from coc.rpc.jobs import Pooled, Submit, Wait


class Carrier:
    """Knows where each kind of job is done."""

    __slots__ = ("executor", "loop", "submissions")

    def __init__(self, loop: AbstractEventLoop, executor: Executor, submissions: Submissions) -> None:
        """The executor runs native code only; its queue is bounded by what connections may have open."""
        self.loop = loop
        self.executor = executor
        self.submissions = submissions

    def carry(self, exchange: Exchange, finished: Callable[[Exchange], None]) -> Carriage:
        """Begin the exchange's jobs; `finished` is called once, on the loop's thread, unless abandoned."""
        carriage = Carriage(self, exchange, finished)
        carriage.advance()
        return carriage


class Carriage:
    """One exchange on its way."""

    __slots__ = ("_carrier", "_exchange", "_finished", "_over")

    def __init__(self, carrier: Carrier, exchange: Exchange, finished: Callable[[Exchange], None]) -> None:
        """Nothing begins before `advance`."""
        self._carrier = carrier
        self._exchange = exchange
        self._finished = finished
        self._over = False

    def abandon(self) -> None:
        """Nobody waits for the answer any more."""
        self._over = True

    def advance(self) -> None:
        """Begin every job that may begin, and report the end once all are settled."""
        exchange = self._exchange
        while not self._over and (tickets := exchange.ready()):
            for ticket in tickets:
                self._begin(ticket)
        if exchange.done and not self._over:
            self._over = True
            self._finished(exchange)

    def _begin(self, ticket: Ticket) -> None:
        job = ticket.job
        match job:
            case Pooled():
                try:
                    self._carrier.executor.submit(self._work, ticket, job.run)
                except RuntimeError:
                    self._exchange.settle(ticket, unavailable("the node is stopping"))
            case Submit():
                self._carrier.submissions.add(job.raw, lambda outcome: self._settle(ticket, outcome))
            case Wait():
                job.begin(lambda error: self._settle(ticket, error))
            case _:
                assert_never(job)

    def _work(self, ticket: Ticket, run: Callable[[], Any]) -> None:
        """On a thread of the pool."""
        try:
            outcome = run()
        except Exception as error:  # noqa: BLE001 - the edge: translated on the loop's thread
            outcome = error
        self._carrier.loop.call_soon_threadsafe(self._settle, ticket, outcome)

    def _settle(self, ticket: Ticket, outcome: Any) -> None:  # noqa: ANN401 - each kind of job has its own outcome
        self._exchange.settle(ticket, outcome)
        self.advance()
