"""Gathering raw transactions, so that many clients' transactions cross to the native side in one call.

What arrives within one turn of the loop, or while a call is judged, goes together with the next call: under
load the calls grow by themselves and a lone transaction waits for nobody. Recovering the senders of a whole
call runs on all cores; admission to the pool stays on the loop's thread, in the order of arrival. Under load
the next call is judged while this thread admits and answers the last one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from coc.primitives.limits_rpc import RPC_SUBMISSIONS_PER_CALL_MAX, RPC_SUBMISSIONS_WAITING_MAX
from coc.rpc.errors import limit_exceeded
from coc.rpc.ports import Outcome, SubmitMany

Settle = Callable[[Outcome], None]


class Submissions:
    """The transactions that wait for the next native call."""

    __slots__ = ("_call_soon", "_is_judging", "_scheduled", "_submit_many", "_waiting")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], submit_many: SubmitMany) -> None:
        """`call_soon` runs a function in the loop's next turn."""
        self._call_soon = call_soon
        self._submit_many = submit_many
        self._waiting: deque[tuple[bytes, Settle]] = deque()
        self._scheduled = False
        self._is_judging = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, raw: bytes, settle: Settle) -> None:
        """Queue a transaction; `settle` is called once with what became of it."""
        if len(self._waiting) >= RPC_SUBMISSIONS_WAITING_MAX:
            settle(
                limit_exceeded(
                    f"the node is busy: {RPC_SUBMISSIONS_WAITING_MAX} transactions wait"
                    " (RPC_SUBMISSIONS_WAITING_MAX); send it again in a second"
                )
            )
            return
        self._waiting.append((raw, settle))
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled and not self._is_judging:
            self._scheduled = True
            self._call_soon(self._submit)

    def _submit(self) -> None:
        self._scheduled = False
        count = min(len(self._waiting), RPC_SUBMISSIONS_PER_CALL_MAX)
        taken = [self._waiting.popleft() for _ in range(count)]
        settles = [settle for _, settle in taken]
        self._is_judging = True
        try:
            self._submit_many(
                [raw for raw, _ in taken], self._judged, lambda outcomes: self._settled(settles, outcomes)
            )
        except Exception as error:  # noqa: BLE001 - the edge: each waiting call must learn of the failure
            self._settled(settles, [error] * len(settles))
            self._is_judging = False
            self._schedule()

    def _judged(self) -> None:
        """Hand in the next call, before the last one is admitted; a single transaction in the next turn.

        One alone is judged and admitted at once, and would overtake those that are judged now.
        """
        self._is_judging = False
        if len(self._waiting) > 1:
            self._submit()
        else:
            self._schedule()

    def _settled(self, settles: list[Settle], outcomes: Sequence[Outcome]) -> None:
        if len(outcomes) != len(settles):
            missing = RuntimeError(f"{len(settles)} transactions were submitted and {len(outcomes)} answered")
            outcomes = [missing] * len(settles)
        for settle, outcome in zip(settles, outcomes, strict=True):
            settle(outcome)
