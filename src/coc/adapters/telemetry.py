"""What a node says of itself: counts, log lines, and whether it is alive and ready.

Series are read at `/metrics`. `/livez` says that the loop turns; `/readyz` that the node can do its work, and
if not, why: a part that failed and has not recovered, or a stop. A failure is logged once until it changes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from coc._native import Header, StorageFailed
from coc.adapters.http.pages import Page
from coc.adapters.log_lines import LOGGER
from coc.adapters.metrics import Kind, Metrics, Series
from coc.execution.mempool.effects import Added, Effect
from coc.primitives.frozen import frozen

READY, LIVE = Page(b"ready\n"), Page(b"live\n")


@frozen
class Readings:
    """What is read elsewhere when somebody asks for metrics: pool, and server."""

    pool_counts: Callable[[], tuple[int, int]]
    pool_bytes: Callable[[], int]
    rpc_connections: Callable[[], int]
    rpc_requests: Callable[[], int]


class Telemetry:
    """Counts and tells; knows nothing that decides."""

    def __init__(self, on_block: Callable[[Header], None] | None = None) -> None:
        """`on_block` is told of each new head, for the terminal."""
        self._on_block = on_block
        self.goal: Callable[[], int | None] = lambda: None
        """The newest block of the peers, for a node that catches up; None for one in step with them."""
        self._problems: dict[str, str] = {}
        self._is_stopping = False
        self._counts: Counter[str] = Counter()
        self._problem_counts: Counter[str] = Counter()
        self._height = 0
        self._timestamp = 0
        self.metrics = Metrics()
        self.metrics.add(
            Series("coc_head_height", Kind.GAUGE, "Height of the newest block.", lambda: self._height),
            Series(
                "coc_head_timestamp_seconds",
                Kind.GAUGE,
                "Timestamp of the newest block.",
                lambda: self._timestamp,
            ),
            self._counter("coc_blocks", "Blocks decided since the start."),
            self._counter("coc_transactions", "Transactions in blocks decided since the start."),
            self._counter("coc_gas", "Gas used in blocks decided since the start."),
            self._counter("coc_mempool_admitted", "Transactions that the mempool took since the start."),
            Series(
                "coc_problems",
                Kind.COUNTER,
                "Failures that the node met and went on after, by part.",
                lambda: self._problem_counts,
                "part",
            ),
            Series(
                "coc_ready",
                Kind.GAUGE,
                "1 where the node can do its work, 0 where /readyz says why not.",
                lambda: float(not self._reasons()),
            ),
        )

    def watch(self, readings: Readings) -> None:
        """Show what is read elsewhere too."""

        def waiting() -> dict[str, float]:
            pending, queued = readings.pool_counts()
            return {"pending": pending, "queued": queued}

        self.metrics.add(
            Series("coc_mempool_transactions", Kind.GAUGE, "Transactions that wait.", waiting, "kind"),
            Series("coc_mempool_bytes", Kind.GAUGE, "Bytes of those that wait.", readings.pool_bytes),
            Series("coc_rpc_connections", Kind.GAUGE, "Clients connected.", readings.rpc_connections),
            Series("coc_rpc_requests", Kind.COUNTER, "HTTP requests answered.", readings.rpc_requests),
        )

    # ── What happened ───────────────────────────────────────────────────────────────────────────────────────

    def stands_on(self, head: Header) -> None:
        """The block that the node starts from."""
        self._height, self._timestamp = head.number, head.timestamp

    def block(self, head: Header) -> None:
        """A block was decided."""
        self.stands_on(head)
        self._counts["coc_blocks"] += 1
        self._counts["coc_transactions"] += head.transaction_count
        self._counts["coc_gas"] += head.gas_used
        if LOGGER.isEnabledFor(10):
            fields = {
                "height": head.number,
                "hash": f"0x{head.hash.hex()}",
                "transactions": head.transaction_count,
                "gas_used": head.gas_used,
            }
            LOGGER.debug("block decided", extra={"fields": fields})
        if self._on_block is not None:
            self._on_block(head)

    def pool_event(self, effect: Effect) -> None:
        """Something happened in the mempool."""
        if isinstance(effect, Added):
            self._counts["coc_mempool_admitted"] += 1

    def notice(self, sentence: str) -> None:
        """Something that an operator should know and need not act on."""
        LOGGER.warning(sentence)

    def problem(self, part: str, sentence: str) -> None:
        """A part failed and the node goes on; it is not ready until the part has recovered."""
        self._problem_counts[part] += 1
        if self._problems.get(part) != sentence:
            self._problems[part] = sentence
            LOGGER.error(sentence, extra={"fields": {"part": part}})

    def recovered(self, part: str) -> None:
        """A part works, again or still."""
        if self._problems.pop(part, None) is not None:
            LOGGER.warning("works again", extra={"fields": {"part": part}})

    def defect(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something escaped to the event loop: our mistake, and nobody can say what state it left.

        But for errors of the operating system: those are a client's connection, or a lack of descriptors.
        """
        del loop
        error = context.get("exception")
        if isinstance(error, OSError) and not isinstance(error, StorageFailed):
            LOGGER.warning("%s: %s", context.get("message"), error)
            return
        self._problem_counts["defect"] += 1
        self._problems["defect"] = f"{context.get('message')}: {error!r}; restart the node and report this"
        LOGGER.error(
            str(context.get("message")),
            exc_info=error,
            extra={"fields": {"part": "defect", "id": "COC-DEFECT"}},
        )

    def stopping(self) -> None:
        """The node has been told to stop."""
        self._is_stopping = True

    # ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────

    def live_page(self) -> Page:
        """That this is answered says that the loop turns."""
        return LIVE

    def ready_page(self) -> Page:
        """Whether the node can do its work now, and if not, why."""
        reasons = self._reasons()
        if not reasons:
            return READY
        return Page("".join(f"{reason}\n" for reason in ("not ready", *reasons)).encode(), status=503)

    def _reasons(self) -> list[str]:
        stopping = ["stopping"] if self._is_stopping else []
        return stopping + [f"{part}: {sentence}" for part, sentence in self._problems.items()]

    def _counter(self, name: str, text: str) -> Series:
        return Series(name, Kind.COUNTER, text, lambda: self._counts[name])
