"""What a node says of itself: structured log lines, Prometheus series, and whether it is alive and ready.

Log lines are JSON objects on standard error, one a line. Series are read at `/metrics`; `/livez` says that the loop turns, `/readyz`
that blocks are being made or were made lately.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from coc._native import Header
from coc.adapters.http.pages import Page
from coc.execution.mempool.effects import Added, Effect
from coc.execution.mempool.view import PoolView

LOGGER: Final = logging.getLogger("coc")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the fields given as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def log_to_stderr(level: str) -> None:
    """Send the program's log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class Telemetry:
    """Counts and tells; knows nothing that decides."""

    def __init__(self, on_block: Callable[[Header], None] | None = None) -> None:
        """`on_block` is told of each new head, for the terminal."""
        self._on_block = on_block
        self._last_problem: dict[str, str] = {}
        self.registry = CollectorRegistry()
        self._height = Gauge("coc_head_height", "Height of the newest block.", registry=self.registry)
        self._timestamp = Gauge(
            "coc_head_timestamp_seconds", "Timestamp of the newest block.", registry=self.registry
        )
        self._blocks = Counter("coc_blocks", "Blocks decided since the start.", registry=self.registry)
        self._transactions = Counter(
            "coc_transactions", "Transactions in blocks decided since the start.", registry=self.registry
        )
        self._gas = Counter("coc_gas", "Gas used in blocks decided since the start.", registry=self.registry)
        self._admitted = Counter(
            "coc_mempool_admitted", "Transactions the mempool has taken since the start.", registry=self.registry
        )
        self._problems = Counter(
            "coc_problems", "Failures the node has met and goes on after.", ["part"], registry=self.registry
        )

    def watch_pool(self, view: PoolView) -> None:
        """Read the mempool's size whenever metrics are asked for."""
        size = Gauge("coc_mempool_transactions", "Transactions that wait.", ["kind"], registry=self.registry)
        size.labels("pending").set_function(lambda: view.counts()[0])
        size.labels("queued").set_function(lambda: view.counts()[1])
        held = Gauge("coc_mempool_bytes", "Bytes of the transactions that wait.", registry=self.registry)
        held.set_function(view.bytes_total)

    def watch_gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge that is read whenever metrics are asked for."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def block(self, head: Header) -> None:
        """A block was decided."""
        self._height.set(head.number)
        self._timestamp.set(head.timestamp)
        self._blocks.inc()
        self._transactions.inc(head.transaction_count)
        self._gas.inc(head.gas_used)
        self._last_problem.clear()
        LOGGER.debug(
            "block decided",
            extra={
                "fields": {
                    "height": head.number,
                    "hash": f"0x{head.hash.hex()}",
                    "transactions": head.transaction_count,
                    "gas_used": head.gas_used,
                }
            },
        )
        if self._on_block is not None:
            self._on_block(head)

    def pool_event(self, effect: Effect) -> None:
        """Something happened in the mempool."""
        if isinstance(effect, Added):
            self._admitted.inc()

    def problem(self, part: str, sentence: str) -> None:
        """Something failed and the node goes on; said once until it changes."""
        self._problems.labels(part).inc()
        if self._last_problem.get(part) != sentence:
            self._last_problem[part] = sentence
            LOGGER.error(sentence, extra={"fields": {"part": part}})

    def metrics_page(self) -> Page:
        """The series in Prometheus' text format."""
        return Page(generate_latest(self.registry), b"text/plain; version=0.0.4; charset=utf-8")

    def live_page(self) -> Page:
        """That this is answered says that the loop turns."""
        return Page(b"live\n")

    def ready_page(self) -> Page:
        """Whether the node can do its work now, and if not, why."""
        if self._last_problem:
            reasons = "".join(f"{part}: {sentence}\n" for part, sentence in self._last_problem.items())
            return Page(b"not ready\n" + reasons.encode(), status=503)
        return Page(b"ready\n")
