"""A node in memory for the recorded exchanges: native chain, real pool, real method table, nothing else."""

from __future__ import annotations

import importlib
import itertools
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from coc.adapters.http.policy import AccessRules
from coc.adapters.http.server import HttpPorts, HttpServer
from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.effects import Acknowledge, Refuse
from coc.execution.mempool.inputs import Account, Candidate, Head, Origin, Standing, Submit, Verdict
from coc.execution.mempool.pool import Mempool
from coc.primitives.types import Hash32, Height, Millis
from coc.rpc.dispatch import Dispatcher
from coc.rpc.exchange import Exchange
from coc.rpc.faults import Translator
from coc.rpc.filters import FilterBook
from coc.rpc.jobs import Pooled
from coc.rpc.jobs import Submit as SubmitJob
from coc.rpc.methods import Context, Services, Settings
from coc.rpc.ports import Accepted, ChainFaults, Outcome, Refused
from coc.rpc.table import PUBLIC
from tests.rpc.fakes import FakeAccounts, FakeStatus, planned_errors_only


class NoSealer:
    """An imported Ethereum chain is never sealed on."""

    def seal(self, blocks: int, timestamp_s: int | None, done: Callable[[Exception | None], None]) -> None:
        done(RuntimeError("nothing is sealed here"))


class ImportedNode:
    """Answers bodies on a chain that was imported block by block."""

    def __init__(self, genesis: bytes) -> None:
        self._genesis = genesis
        self._blocks: list[bytes] = []
        self._native: Any = importlib.import_module("coc._native")
        self.chain: Any = self._native.Chain.open(genesis, None, b"{}")
        self._node: tuple[Mempool, Dispatcher] | None = None

    @classmethod
    def like(cls, other: ImportedNode) -> ImportedNode:
        """A fresh node with the same chain and an empty pool."""
        node = cls(other._genesis)
        for block in other._blocks:
            node.import_block(block)
        return node

    def import_block(self, block: bytes) -> None:
        """Execute and check one block, and make it the head."""
        self._blocks.append(block)
        block_hash = self.chain.execute(block, b"")
        self.chain.decide(block_hash, b"")
        self.chain.set_finalized(block_hash, block_hash)

    def ask(self, body: bytes) -> bytes:
        """The answer to one body, with its jobs done in order."""
        _, dispatcher = self._parts()
        handled = dispatcher.handle(body, 0)
        if isinstance(handled, Exchange):
            while not handled.done:
                for ticket in handled.ready():
                    handled.settle(ticket, self._outcome(ticket.job))
            handled = handled.body()
        assert isinstance(handled, bytes)
        return handled

    def server(self, loop: AbstractEventLoop, executor: Executor) -> HttpServer:
        """The same node behind HTTP."""
        _, dispatcher = self._parts()
        ports = HttpPorts(
            dispatcher, self._submit_many, executor, AccessRules(), ("coc/test", self.chain.chain_id)
        )
        return HttpServer(loop, ports)

    def _parts(self) -> tuple[Mempool, Dispatcher]:
        """Pool and dispatcher on the head, made when the import is over."""
        if self._node is None:
            native, head = self._native, self.chain.head
            blob_fee = 0 if head.excess_blob_gas is None else self.chain.next_blob_base_fee(head.hash)
            stands_on = Head(
                Hash32(head.hash),
                Height(head.number),
                self.chain.next_base_fee(head.hash),
                blob_fee,
                head.gas_limit,
            )
            pool = Mempool(stands_on, PoolLimits(), has_journal=False)
            services = Services(
                chain=self.chain,
                pool=pool.view,
                accounts=FakeAccounts(()),
                sealer=NoSealer(),
                status=FakeStatus(),
                keccak256=native.keccak256,
            )
            ids = itertools.count(1)
            context = Context(services, FilterBook(lambda: next(ids)), Settings())
            faults = ChainFaults(
                native.TransactionInvalid,
                native.CallFailed,
                native.UnknownBlock,
                native.LimitExceeded,
                native.Pruned,
                native.StorageFailed,
            )
            guard = planned_errors_only(Translator(faults, print))
            self._node = pool, Dispatcher(PUBLIC, context, guard)
        return self._node

    def _outcome(self, job: Any) -> Any:
        if isinstance(job, SubmitJob):
            return self._submit(job.raw)
        assert isinstance(job, Pooled)
        try:
            return job.run()
        except Exception as error:  # noqa: BLE001 - as the carrier does
            return error

    def _submit_many(
        self, raws: list[bytes], judged: Callable[[], None], done: Callable[[Sequence[Outcome]], None]
    ) -> None:
        judged()
        done([self._submit(raw) for raw in raws])

    def _submit(self, raw: bytes) -> Outcome:
        pool, _ = self._parts()
        head = self.chain.head.hash
        (judged,) = self.chain.admit(head, [raw])
        if isinstance(judged, Exception):
            return Refused(judged.args[1], judged.args[0])
        transaction, standing, code, sentence, *account = judged
        candidate = Candidate(transaction, Verdict(Standing(standing), code, sentence), Account(*account))
        effects = pool.step(Millis(0), Submit(Hash32(head), Origin.LOCAL, [candidate]))
        for effect in effects:
            if isinstance(effect, Acknowledge):
                return Accepted(effect.hash)
            if isinstance(effect, Refuse):
                return Refused(effect.code, effect.sentence)
        return RuntimeError(f"the pool answered nothing: {effects}")
