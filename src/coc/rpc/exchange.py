"""One body under way: the jobs that are still open, and at last the answer.

The transport takes `ready()` jobs, has them done, and hands what came of each to `settle()`, until `done`. A
job may be followed by another. Most bodies are one call, which needs none of what keeps a batch in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from coc.primitives.frozen import frozen
from coc.primitives.limits_rpc import RPC_BATCH_RESPONSE_BYTES_MAX, RPC_JOBS_PER_EXCHANGE_MAX
from coc.rpc.errors import RESPONSE_TOO_LARGE, CallError
from coc.rpc.jobs import Job, Pooled, Submit, Wait, is_job

if TYPE_CHECKING:
    from coc.rpc.jobs import Answer

_encode: Final = msgspec.json.Encoder().encode

Proceed = Callable[[Callable[[], "Answer"]], "Answer | CallError"]
"""Runs the next step of a call and turns what it raises into an error object."""


@frozen
class Ticket:
    """A job and the place in the exchange that it belongs to."""

    place: int
    job: Job


class Exchange:
    """What a transport knows of a body under way."""

    __slots__ = ()

    @property
    def done(self) -> bool:
        """Whether everything has its answer."""
        raise NotImplementedError

    def ready(self) -> Sequence[Ticket]:
        """The jobs that may begin now; each is handed out once."""
        raise NotImplementedError

    def settle(self, ticket: Ticket, outcome: Any) -> None:  # noqa: ANN401 - each kind of job has its own outcome
        """Take what came of a job: its result, or the exception that it ended with."""
        raise NotImplementedError

    def body(self) -> bytes | None:
        """The answer's bytes, or None when there were only notifications. Call it when `done`."""
        raise NotImplementedError


class LoneExchange(Exchange):
    """A call that came by itself."""

    __slots__ = ("_answer", "_is_done", "_proceed", "_request_id", "_ticket")

    def __init__(self, proceed: Proceed, request_id: bytes, job: Job) -> None:
        """An empty id marks a notification, whose answer is dropped."""
        self._proceed = proceed
        self._request_id = request_id
        self._ticket: Ticket | None = Ticket(0, job)
        self._answer: bytes | None = None
        self._is_done = False

    @property
    def done(self) -> bool:
        """Whether the call has its answer."""
        return self._is_done

    def ready(self) -> Sequence[Ticket]:
        """The one job that may begin, or none."""
        ticket = self._ticket
        if ticket is None:
            return ()
        self._ticket = None
        return (ticket,)

    def settle(self, ticket: Ticket, outcome: Any) -> None:  # noqa: ANN401 - each kind of job has its own outcome
        """Go on with the call: to its answer, or to another job."""
        answer = self._proceed(_next_step(ticket.job, outcome))
        if is_job(answer):
            self._ticket = Ticket(0, answer)
            return
        self._is_done = True
        if self._request_id:
            self._answer = response(self._request_id, answer)

    def body(self) -> bytes | None:
        """The answer's bytes, or None for a notification."""
        return self._answer


class BatchExchange(Exchange):
    """The answers of a batch as they come in, in the order of its requests.

    At most `RPC_JOBS_PER_EXCHANGE_MAX` pooled jobs are out at the same time.
    """

    __slots__ = ("_bytes", "_ids", "_open", "_parts", "_pooled", "_proceed", "_queue")

    def __init__(self, proceed: Proceed) -> None:
        """An exchange without places; `add` makes them."""
        self._proceed = proceed
        self._ids: list[bytes] = []
        self._parts: list[bytes | None] = []
        self._queue: deque[Ticket] = deque()
        self._pooled = 0
        self._open = 0
        self._bytes = 0

    @property
    def done(self) -> bool:
        """Whether every place has its answer."""
        return self._open == 0

    @property
    def overflowed(self) -> bool:
        """Whether the answers so far fill the batch's limit, so that nothing more need be run."""
        return self._bytes > RPC_BATCH_RESPONSE_BYTES_MAX

    def add(self, request_id: bytes, answer: Answer | CallError) -> None:
        """Append a place; an empty id marks a notification, whose answer is dropped."""
        place = len(self._ids)
        self._ids.append(request_id)
        self._parts.append(None)
        if is_job(answer):
            self._open += 1
            self._queue.append(Ticket(place, answer))
        else:
            self._write(place, answer)

    def ready(self) -> list[Ticket]:
        """The jobs that may begin now; each is handed out once."""
        if not self._queue:
            return []
        tickets: list[Ticket] = []
        held: deque[Ticket] = deque()
        while self._queue:
            ticket = self._queue.popleft()
            if isinstance(ticket.job, Pooled):
                if self._pooled >= RPC_JOBS_PER_EXCHANGE_MAX:
                    held.append(ticket)
                    continue
                self._pooled += 1
            tickets.append(ticket)
        self._queue = held
        return tickets

    def settle(self, ticket: Ticket, outcome: Any) -> None:  # noqa: ANN401 - each kind of job has its own outcome
        """Take what came of a job: its result, or the exception that it ended with."""
        job = ticket.job
        if isinstance(job, Pooled):
            self._pooled -= 1
        answer = self._proceed(_next_step(job, outcome))
        if is_job(answer):
            self._queue.append(Ticket(ticket.place, answer))
            return
        self._open -= 1
        self._write(ticket.place, answer)

    def body(self) -> bytes | None:
        """The answer's bytes, or None when there were only notifications. Call it when `done`."""
        parts = [part for part in self._parts if part is not None]
        return b"[" + b",".join(parts) + b"]" if parts else None

    def _write(self, place: int, answer: Answer | CallError) -> None:
        request_id = self._ids[place]
        if not request_id:
            return
        part = response(request_id, answer)
        self._bytes += len(part)
        if self.overflowed:
            self._bytes -= len(part)
            part = response(request_id, response_too_large())
            self._bytes += len(part)
        self._parts[place] = part


def response(request_id: bytes, answer: Answer | CallError) -> bytes:
    """One response object (JSON-RPC 2.0 §5)."""
    if isinstance(answer, CallError):
        return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (request_id, _encode(answer.to_json()))
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (request_id, _encode(answer))


def response_too_large() -> CallError:
    """The batch's answers are over the limit."""
    return CallError(
        RESPONSE_TOO_LARGE,
        f"response too large: the answers of one batch have more than {RPC_BATCH_RESPONSE_BYTES_MAX} bytes"
        " (RPC_BATCH_RESPONSE_BYTES_MAX); send smaller batches",
    )


def _next_step(job: Job, outcome: Any) -> Callable[[], Answer]:  # noqa: ANN401 - see `settle`
    """What runs next for a job that ended with `outcome`."""
    if isinstance(job, Submit):
        return lambda: job.then(outcome)
    if isinstance(outcome, Exception):
        return lambda: _raise(outcome)
    if isinstance(job, Wait):
        return job.then
    then = job.then
    return (lambda: outcome) if then is None else (lambda: then(outcome))


def _raise(error: Exception) -> Answer:
    raise error
