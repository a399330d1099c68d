"""Running a node for real: one loop, threads for native work, and the ports that perform its effects.

Every `step` runs on the loop's thread, one input at a time, and all effects of a step are performed, in
order, before the next input. What fails is told to the machine as an input too, so the decision what to do
about it is the machine's.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import assert_never

from coc._native import Chain
from coc.adapters.block_work import BlockWork, Proposer
from coc.adapters.journal_keeper import JournalKeeper
from coc.adapters.telemetry import Telemetry
from coc.adapters.transaction_desk import TransactionDesk
from coc.adapters.workers import Workers
from coc.consensus.rotation.engine import Decide, Fulfilled, SetTimer, Sign
from coc.execution.mempool.effects import (
    Acknowledge,
    Added,
    BecameReady,
    Dropped,
    Evicted,
    Included,
    JournalAppend,
    JournalRewrite,
    JudgeAgain,
    Refuse,
    Replaced,
)
from coc.execution.mempool.inputs import JournalFailed
from coc.node.effects import BuildBlock, Effect
from coc.node.inputs import Input, Mine, Signed, Start, TimerFired
from coc.node.node import Node
from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import sign
from coc.primitives.types import Hash32, Millis
from coc.rpc.ports import Accepted, Refused

Done = Callable[[Exception | None], None]

STOPPING = "the node is stopping"


class SealingRefused(RuntimeError):
    """A block that was asked for could not be made."""


@frozen
class RuntimePorts:
    """What a runtime works with; `proposer` is None where nothing is sealed."""

    chain: Chain
    workers: Workers
    proposer: Proposer | None
    journal: JournalKeeper
    telemetry: Telemetry


class Runtime:
    """Performs a node's effects and hands in what comes of them."""

    def __init__(self, node: Node, ports: RuntimePorts) -> None:
        """Nothing runs before `start`."""
        self._node = node
        self._ports = ports
        self._loop = asyncio.get_running_loop()
        self._inputs: deque[Input] = deque()
        self._is_feeding = False
        self._is_stopping = False
        self._timer: asyncio.TimerHandle | None = None
        self._demands: dict[int, Done] = {}
        self._next_ticket = 0
        chain, workers = ports.chain, ports.workers
        self._blocks = BlockWork(chain, workers, ports.telemetry, self._feed)
        self._desk = TransactionDesk(chain, workers, self._pool_head, self._feed)
        self.submit_many = self._desk.submit_many

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Read the journal back and begin.

        Raises:
            JournalError: the journal cannot be read.
        """
        arrived = self._ports.journal.recover(self._pool_head())
        if arrived is not None:
            self._feed(arrived)
        self._ports.journal.start(self._node.pool.view)
        self._feed(Start())

    async def finish(self) -> None:
        """Make no more blocks, let what is under way end, and tell all who wait for a block."""
        self._is_stopping = True
        self._ports.telemetry.stopping()
        if self._timer is not None:
            self._timer.cancel()
        await self._ports.workers.drain()
        demands, self._demands = self._demands, {}
        for done in demands.values():
            done(SealingRefused(STOPPING))

    def close(self) -> None:
        """Make the journal durable and let the threads go; after `finish`."""
        self._ports.journal.close()
        self._ports.workers.close()

    # ── What others ask for ─────────────────────────────────────────────────────────────────────────────────

    def seal(self, blocks: int, timestamp_s: int | None, done: Done) -> None:
        """Seal so many blocks, the first at the time given; `done` is called once."""
        left = blocks

        def one_done(error: Exception | None) -> None:
            nonlocal left
            left -= 1
            if error is not None or left <= 0:
                done(error)
            else:
                self._demand(None, one_done)

        self._demand(timestamp_s, one_done)

    def _demand(self, timestamp_s: int | None, done: Done) -> None:
        if self._is_stopping:
            done(SealingRefused(STOPPING))
            return
        self._next_ticket += 1
        self._demands[self._next_ticket] = done
        self._feed(Mine(self._next_ticket, timestamp_s))

    # ── Inputs and effects ──────────────────────────────────────────────────────────────────────────────────

    def _feed(self, event: Input) -> None:
        """Hand in an input, after those that wait; one that comes of an effect waits for the rest of them."""
        self._inputs.append(event)
        if self._is_feeding:
            return
        self._is_feeding = True
        try:
            while self._inputs:
                for effect in self._node.step(self._now(), self._inputs.popleft()):
                    if not self._perform(effect):
                        break
        finally:
            self._is_feeding = False

    def _perform(self, effect: Effect) -> bool:
        """Perform one effect; False when those after it in the same list must not be performed."""
        match effect:  # what every transaction makes comes first
            case Acknowledge():
                self._desk.settle(effect.hash, Accepted(effect.hash))
            case Added() | BecameReady() | Replaced() | Evicted() | Dropped() | Included():
                self._ports.telemetry.pool_event(effect)
            case SetTimer():
                self._set_timer(effect)
            case BuildBlock() | Sign() | Decide():
                self._make(effect)
            case Fulfilled():
                done = self._demands.pop(effect.ticket, None)
                if done is not None:
                    done(SealingRefused(effect.reason) if effect.reason else None)
            case JournalAppend() | JournalRewrite():
                return self._write_journal(effect)
            case Refuse():
                self._desk.settle(effect.hash, Refused(effect.code, effect.sentence))
            case JudgeAgain():
                self._desk.judge_again(effect)
            case _:
                assert_never(effect)
        return True

    def _make(self, effect: BuildBlock | Sign | Decide) -> None:
        """A step on a block's way. Once the node is stopping none is begun; one that is begun is ended."""
        proposer = self._ports.proposer
        if proposer is None:
            raise SealingRefused("a node without a key was asked to make a block")
        match effect:
            case BuildBlock():
                if not self._is_stopping:
                    self._blocks.build(effect, proposer)
            case Sign():
                self._feed(Signed(sign(proposer.secret, effect.request.digest())))
            case Decide():
                self._blocks.decide(effect, self._node.pool.view.senders())
            case _:
                assert_never(effect)

    def _write_journal(self, effect: JournalAppend | JournalRewrite) -> bool:
        error = self._ports.journal.write(effect)
        if error is None or isinstance(effect, JournalRewrite):
            return True
        # The pool must hear of it before anything else: it takes back what it has just admitted.
        self._inputs.appendleft(JournalFailed(f"{error.why}; {error.cure}" if error.cure else error.why))
        return False

    def _set_timer(self, effect: SetTimer) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._is_stopping:
            delay_s = max(0, effect.at_ms - self._now()) / 1000
            self._timer = self._loop.call_later(delay_s, self._feed, TimerFired())

    def _pool_head(self) -> Hash32:
        return self._node.pool.head.hash

    def _now(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)
