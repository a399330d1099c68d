"""The journal of a running node: read back at the start, written for the pool, made durable now and then.

A node without a data folder has none; for it everything here does nothing and succeeds.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from coc._native import Chain
from coc.adapters import chain_port
from coc.adapters.journal import Journal, JournalError, sync
from coc.adapters.telemetry import Telemetry
from coc.adapters.workers import Workers
from coc.execution.mempool.effects import JournalAppend, JournalRewrite
from coc.execution.mempool.inputs import Origin
from coc.execution.mempool.view import PoolView
from coc.node.inputs import Arrived
from coc.primitives.keccak import keccak256
from coc.primitives.limits import MEMPOOL_JOURNAL_FSYNC_MS_MAX
from coc.primitives.types import Hash32

JOURNAL = "journal"
"""The part that telemetry names when it fails."""

REPAIR_INTERVAL_MS: Final = 5_000
"""Milliseconds between tries to write the journal anew after an fsync failed."""

LOOKS_PER_RECORD_MAX: Final = 8
"""Transactions and blocks of the chain looked at for each record of the journal, to find what blocks have
taken: a look costs a tenth of a signature, and of four validators one has a quarter of all in its journal.
"""


class JournalKeeper:
    """Keeps what was acknowledged on disk while the node runs."""

    def __init__(self, folder: Path | None, chain: Chain, workers: Workers, telemetry: Telemetry) -> None:
        """Open the journal in the data folder, if there is a folder.

        Raises:
            JournalError: it cannot be opened for writing.
        """
        self._journal = None if folder is None else Journal(folder)
        self._chain = chain
        self._workers = workers
        self._telemetry = telemetry
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._view: PoolView | None = None
        self._sync_failed = False
        self._has_remains = False
        self._is_closed = False

    def recover(self, head: Hash32) -> Arrived | None:
        """What an earlier process acknowledged and no block has taken since, judged at `head`.

        Raises:
            JournalError: the journal cannot be read.
        """
        if self._journal is None:
            return None
        content = self._journal.read()
        self._has_remains = bool(content.raws or content.damaged_bytes)
        if content.damaged_bytes:
            self._telemetry.notice(
                f"{content.damaged_bytes} bytes of the transaction journal were no record and are passed over"
            )
        if not content.raws:
            return None
        judged = chain_port.judge_raw(self._chain, head, self._not_in_blocks(content.raws))
        candidates = [each for each in judged if not isinstance(each, Exception)]
        return Arrived(head, Origin.JOURNAL, candidates)

    def _not_in_blocks(self, raws: list[bytes]) -> list[bytes]:
        """Those of the journal that the newest blocks have not: most of it is there, and was verified."""
        waiting = {keccak256(raw): raw for raw in raws}
        looks_left = LOOKS_PER_RECORD_MAX * len(waiting)
        number = self._chain.head.number
        while waiting and looks_left > 0 and number > 0:
            block = self._chain.canonical_hash(number)
            taken = () if block is None else self._chain.transaction_hashes(block)
            for hash_ in taken:
                waiting.pop(Hash32(hash_), None)
            looks_left -= 1 + len(taken)
            number -= 1
        return list(waiting.values())

    def start(self, view: PoolView) -> None:
        """Clear the journal of what is no longer needed, and begin to make it durable now and then."""
        self._view = view
        if self._journal is None:
            return
        if self._has_remains:
            self._rewrite(self._journal, view)
        self._sync_later()

    def write(self, effect: JournalAppend | JournalRewrite) -> JournalError | None:
        """Perform an effect of the pool; why not, if not."""
        if self._is_closed:
            return JournalError("the transaction journal is closed", why="the node is stopping")
        if self._journal is None:
            return None
        try:
            if isinstance(effect, JournalAppend):
                self._journal.append(effect.raws)
            else:
                self._journal.rewrite(effect.raws)
        except JournalError as error:
            self._telemetry.problem(JOURNAL, str(error))
            return error
        if not self._sync_failed:
            self._telemetry.recovered(JOURNAL)
        return None

    def close(self) -> None:
        """Make everything durable and close."""
        if self._timer is not None:
            self._timer.cancel()
        if self._journal is not None and not self._is_closed:
            self._journal.close()
        self._is_closed = True

    def _sync_later(self) -> None:
        # Writing all of it again is dear: not as often as an fsync.
        delay_ms = REPAIR_INTERVAL_MS if self._sync_failed else MEMPOOL_JOURNAL_FSYNC_MS_MAX
        self._timer = self._loop.call_later(delay_ms / 1000, self._sync)

    def _sync(self) -> None:
        if self._journal is None or self._is_closed:
            return
        if self._sync_failed and self._view is not None:
            # After a failed fsync nothing tells which bytes are on the disk: write all of them again.
            self._rewrite(self._journal, self._view)
        descriptor = self._journal.take_unsynced()
        if descriptor is None:
            self._sync_later()
        else:
            self._workers.run(lambda: sync(descriptor), self._synced)

    def _synced(self, error: Exception | None) -> None:
        if error is not None:
            self._sync_failed = True
            self._telemetry.problem(JOURNAL, f"the transaction journal cannot be made durable: {error}")
        if not self._is_closed:
            self._sync_later()

    def _rewrite(self, journal: Journal, view: PoolView) -> None:
        raws = [
            each.raw
            for sender in view.senders()
            for each in (*view.pending_of(sender), *view.queued_of(sender))
        ]
        try:
            journal.rewrite(raws)
        except JournalError as error:
            self._telemetry.problem(JOURNAL, str(error))
            return
        self._sync_failed = False
        self._telemetry.recovered(JOURNAL)
