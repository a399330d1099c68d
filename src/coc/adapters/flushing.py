"""Flushing decided blocks into the store, behind the log: one flush at a time, when enough has come together.

After a flush that failed the next block waits for one that succeeds: what is decided and not flushed is held
in memory.

After a flush that succeeded old states are given up: the copier of the Rust core carries what is still needed
to a young file, a slice at a time, so that nothing else waits for it long, and drops the old files.
"""

from __future__ import annotations

from typing import Final

from coc._native import Chain
from coc.adapters.telemetry import Telemetry
from coc.adapters.workers import Workers

FLUSH: Final = "flush"
"""The part that telemetry names when it fails."""
COPY: Final = "copier"
"""The same of giving old states up."""

COPY_NODES_MAX: Final = 2_000
"""Trie nodes carried at a time: some ten milliseconds, for which a flush may have to wait."""


class Flusher:
    """Flushes a chain while it grows."""

    def __init__(self, chain: Chain, workers: Workers, telemetry: Telemetry) -> None:
        """Nothing runs before `flush_if_due`."""
        self._chain = chain
        self._workers = workers
        self._telemetry = telemetry
        self._is_flushing = False
        self._is_copying = False
        self.has_failed = False
        """Whether the last flush failed, so that one must succeed before more is built."""

    def flush_if_due(self) -> None:
        """Begin a flush if so much is unflushed and none is under way."""
        if not self._is_flushing and self._chain.flush_is_due():
            self._is_flushing = True
            self._workers.run(self._chain.flush, self._ended)

    def tell(self, error: Exception | None) -> None:
        """Note how a flush ended."""
        self.has_failed = error is not None
        if error is None:
            self._telemetry.recovered(FLUSH)
        else:
            self._telemetry.problem(FLUSH, f"the store cannot be written: {sentence_of(error)}")

    def _ended(self, error: Exception | None) -> None:
        self._is_flushing = False
        self.tell(error)
        if error is None and not self._is_copying:
            self._copy()

    def _copy(self) -> None:
        """Carry one slice; what is left then goes on after a restart as well."""
        self._is_copying = not self._workers.is_draining
        if self._is_copying:
            self._workers.run(lambda: self._chain.copy_some(COPY_NODES_MAX), self._copied)

    def _copied(self, result: bool | Exception) -> None:
        self._is_copying = False
        if isinstance(result, Exception):
            # The next flush asks again.
            self._telemetry.problem(COPY, f"old states cannot be given up: {sentence_of(result)}")
            return
        self._telemetry.recovered(COPY)
        if result:
            self._copy()


def sentence_of(error: Exception) -> str:
    """What an error says; native ones carry a code or more beside their sentence."""
    return str(error.args[0]) if error.args else repr(error)
