"""Running a node for real: one loop, a pool of threads for native work, and the ports that perform its effects.

Every `step` runs on the loop's thread. Building and deciding blocks run on the executor; their answers come back as inputs. What
fails is told to the machine as an input too, so the decision what to do about it is the machine's.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, assert_never

import msgspec

from coc._native import Built, Chain, Transaction, TransactionInvalid
from coc.adapters import chain_port
from coc.adapters.journal import Journal, JournalError
from coc.adapters.telemetry import Telemetry
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
from coc.execution.mempool.inputs import JournalFailed, Judged, Origin
from coc.node.effects import BuildBlock, Effect
from coc.node.inputs import (
    Arrived,
    BlockBuilt,
    BlockDecided,
    Input,
    Mine,
    SealingFailed,
    Signed,
    Start,
    TimerFired,
)
from coc.node.node import Node
from coc.primitives.limits import MEMPOOL_JOURNAL_FSYNC_MS_MAX
from coc.primitives.secp256k1 import Secret, sign
from coc.primitives.types import Address, Hash32, Millis
from coc.rpc.ports import Accepted, Outcome, Refused

T = TypeVar("T")

Done = Callable[[Exception | None], None]


@dataclass(frozen=True, slots=True)
class Proposer:
    """Who makes the blocks of this node: the key that signs, and where the tips go."""

    secret: Secret
    fee_recipient: Address
    gas_limit_target: int


class SealingRefused(RuntimeError):
    """A block that was asked for could not be made."""


class Runtime:
    """Performs a node's effects and hands in what comes of them."""

    def __init__(
        self, chain: Chain, node: Node, proposer: Proposer, journal: Journal | None, telemetry: Telemetry
    ) -> None:
        """Nothing runs before `start`."""
        self._chain = chain
        self._node = node
        self._proposer = proposer
        self._journal = journal
        self._telemetry = telemetry
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._settling: dict[bytes, deque[Callable[[Outcome], None]]] = {}
        self._demands: dict[int, Done] = {}
        self._next_ticket = 0
        self._flushing = False
        self._stopping = False
        self.executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="native")

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Read the journal back and begin."""
        if self._journal is not None:
            self._read_journal(self._journal)
            self._loop.call_later(MEMPOOL_JOURNAL_FSYNC_MS_MAX / 1000, self._sync_journal)
        self._feed(Start())

    async def stop(self) -> None:
        """Make no more blocks, let what runs end, flush everything."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.to_thread(self.executor.shutdown, wait=True)
        await asyncio.sleep(0)
        if self._journal is not None:
            self._journal.close()
        await asyncio.to_thread(self._chain.close)

    # ── What others ask for ─────────────────────────────────────────────────────────────────────────────────

    def submit_many(self, raws: list[bytes], done: Callable[[Sequence[Outcome]], None]) -> None:
        """Admit raw transactions: judged in one native call off the loop, pooled and journalled on it."""
        head = self._chain.head.hash
        if len(raws) == 1:
            self._admit(head, chain_port.judge_raw(self._chain, head, raws), done)
            return
        self._on_pool(
            lambda: chain_port.judge_raw(self._chain, head, raws), lambda judged: self._admit(head, judged, done)
        )

    def seal(self, blocks: int, timestamp_s: int | None, done: Done) -> None:
        """Seal so many blocks, the first at the time given."""
        left = blocks

        def one_done(error: Exception | None) -> None:
            nonlocal left
            left -= 1
            if error is not None or left == 0:
                done(error)
            else:
                self._demand(None, one_done)

        self._demand(timestamp_s, one_done)

    def _demand(self, timestamp_s: int | None, done: Done) -> None:
        self._next_ticket += 1
        self._demands[self._next_ticket] = done
        self._feed(Mine(self._next_ticket, timestamp_s))

    # ── Transactions ────────────────────────────────────────────────────────────────────────────────────────

    def _admit(
        self, head: bytes, judged: Any, done: Callable[[Sequence[Outcome]], None]  # noqa: ANN401 - or what went wrong
    ) -> None:
        if isinstance(judged, Exception):
            raise judged
        outcomes: list[Outcome | None] = [None] * len(judged)
        left = len(judged)

        def settle(index: int, outcome: Outcome) -> None:
            nonlocal left
            outcomes[index] = outcome
            left -= 1
            if left == 0:
                done([outcome for outcome in outcomes if outcome is not None])

        candidates = []
        for index, entry in enumerate(judged):
            if isinstance(entry, TransactionInvalid):
                settle(index, Refused(entry.args[1], entry.args[0]))
                continue
            candidates.append(entry)
            waiting = self._settling.setdefault(entry.transaction.hash, deque())
            waiting.append(lambda outcome, index=index: settle(index, outcome))
        if candidates:
            self._feed(Arrived(Hash32(head), Origin.LOCAL, candidates))

    def _settle(self, hash_: bytes, outcome: Outcome) -> None:
        waiting = self._settling.get(hash_)
        if waiting:
            settle = waiting.popleft()
            if not waiting:
                del self._settling[hash_]
            settle(outcome)

    def _judge_again(self, effect: JudgeAgain) -> None:
        head = self._chain.head.hash
        transactions = [each for each in effect.transactions if isinstance(each, Transaction)]
        judged = chain_port.judge_again(self._chain, head, transactions)
        if effect.origin is None:
            verdicts = [(Hash32(each.transaction.hash), each.verdict) for each in judged]
            self._feed(Judged(Hash32(head), verdicts))
        else:
            self._feed(Arrived(Hash32(head), effect.origin, judged))

    # ── Journal ─────────────────────────────────────────────────────────────────────────────────────────────

    def _read_journal(self, journal: Journal) -> None:
        raws = journal.read()
        head = self._chain.head.hash
        judged = chain_port.judge_raw(self._chain, head, raws) if raws else []
        candidates = [each for each in judged if not isinstance(each, TransactionInvalid)]
        if candidates:
            self._feed(Arrived(Hash32(head), Origin.JOURNAL, candidates))

    def _sync_journal(self) -> None:
        if self._stopping or self._journal is None:
            return
        try:
            self._journal.sync()
        except OSError as error:
            self._telemetry.problem("journal", f"the transaction journal cannot be made durable: {error}")
        self._loop.call_later(MEMPOOL_JOURNAL_FSYNC_MS_MAX / 1000, self._sync_journal)

    # ── Blocks ──────────────────────────────────────────────────────────────────────────────────────────────

    def _build(self, effect: BuildBlock) -> None:
        attributes = msgspec.json.encode(
            {
                "timestamp": effect.timestamp_s,
                "coinbase": f"0x{self._proposer.fee_recipient.hex()}",
                "gas_limit_target": self._proposer.gas_limit_target,
                "consensus_data": f"0x{effect.consensus_data.hex()}",
            }
        )
        transactions: list[Any] = list(effect.transactions)
        self._on_pool(lambda: self._chain.build(effect.parent, attributes, transactions, None), self._built)

    def _built(self, built: Built | Exception) -> None:
        if isinstance(built, Exception):
            self._failed("build a block", built)
            return
        refused = [Hash32(hash_) for hash_, _, _ in built.refused]
        self._feed(BlockBuilt(Hash32(built.hash), not built.transaction_hashes, refused))

    def _decide(self, effect: Decide) -> None:
        known = self._node.pool.view.senders()
        rules_of_head = self._chain.head

        def decide() -> BlockDecided:
            self._chain.decide(effect.hash, effect.seal)
            self._chain.set_finalized(effect.hash, effect.hash)
            head = self._chain.head
            return BlockDecided(
                chain_port.engine_head(self._chain),
                chain_port.pool_head(self._chain),
                chain_port.changed_accounts(self._chain, head.hash, known),
                [Hash32(hash_) for hash_ in self._chain.transaction_hashes(head.hash)],
                rules_changed=head.gas_limit != rules_of_head.gas_limit,
            )

        self._on_pool(decide, self._decided)

    def _decided(self, decided: BlockDecided | Exception) -> None:
        if isinstance(decided, Exception):
            self._failed("write a block", decided)
            return
        self._telemetry.block(self._chain.head)
        self._feed(decided)
        self._flush_if_due()

    def _failed(self, action: str, error: Exception) -> None:
        self._telemetry.problem("sealing", f"cannot {action}: {error.args[0] if error.args else error}")
        self._feed(SealingFailed(str(error.args[0] if error.args else error)))

    def _flush_if_due(self) -> None:
        if self._flushing or self._stopping or not self._chain.flush_is_due():
            return
        self._flushing = True
        self._on_pool(self._chain.flush, self._flushed)

    def _flushed(self, error: Exception | None) -> None:
        self._flushing = False
        if error is not None:
            self._telemetry.problem("flush", f"the store cannot be written: {error.args[0]}")

    # ── Effects ─────────────────────────────────────────────────────────────────────────────────────────────

    def _feed(self, event: Input) -> None:
        effects = self._node.step(self._now(), event)
        for effect in effects:
            if not self._perform(effect):
                break

    def _perform(self, effect: Effect) -> bool:
        """Perform one effect; False when those after it in the same list must not be performed."""
        match effect:
            case SetTimer():
                self._set_timer(effect)
            case BuildBlock():
                if not self._stopping:
                    self._build(effect)
            case Sign():
                signature = sign(self._proposer.secret, effect.request.digest())
                self._loop.call_soon(self._feed, Signed(signature))
            case Decide():
                self._decide(effect)
            case Fulfilled():
                done = self._demands.pop(effect.ticket)
                done(SealingRefused(effect.reason) if effect.reason else None)
            case JournalAppend() | JournalRewrite():
                return self._write_journal(effect)
            case Acknowledge():
                self._settle(effect.hash, Accepted(effect.hash))
            case Refuse():
                self._settle(effect.hash, Refused(effect.code, effect.sentence))
            case JudgeAgain():
                self._loop.call_soon(self._judge_again, effect)
            case Added() | BecameReady() | Replaced() | Evicted() | Dropped() | Included():
                self._telemetry.pool_event(effect)
            case _:
                assert_never(effect)
        return True

    def _write_journal(self, effect: JournalAppend | JournalRewrite) -> bool:
        if self._journal is None:
            return True
        try:
            if isinstance(effect, JournalAppend):
                self._journal.append(effect.raws)
            else:
                self._journal.rewrite(effect.raws)
        except JournalError as error:
            self._telemetry.problem("journal", str(error))
            if isinstance(effect, JournalAppend):
                self._feed(JournalFailed(error.what))
                return False
        return True

    def _set_timer(self, effect: SetTimer) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(0, effect.at_ms - self._now()) / 1000
        if not self._stopping:
            self._timer = self._loop.call_later(delay_s, self._feed, TimerFired())

    def _now(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)

    def _on_pool(self, run: Callable[[], T], then: Callable[[Any], None]) -> None:
        """Run native work on a thread, and `then` on the loop with its result or the exception."""

        def work() -> None:
            try:
                result: Any = run()
            except Exception as error:  # noqa: BLE001 - the edge: what failed is told on the loop's thread
                result = error
            self._loop.call_soon_threadsafe(then, result)

        self.executor.submit(work)
