"""A runtime on a real chain in memory, whose native calls fail or wait when a test says so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coc.adapters import chain_port
from coc.adapters.block_work import Proposer
from coc.adapters.journal_keeper import JournalKeeper
from coc.adapters.runtime import Runtime, RuntimePorts
from coc.adapters.telemetry import Telemetry
from coc.adapters.workers import Workers
from coc.consensus.rotation.engine import RotationEngine, Schedule, Sealing
from coc.consensus.rotation.idle import IdleEngine
from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.pool import Mempool
from coc.node.node import Engine, Node
from coc.primitives.secp256k1 import address_of
from coc.rpc.ports import Outcome
from tests.adapters.sealed_chain import VALIDATOR, SealedChain, genesis

WAIT_SECONDS_MAX = 30.0
"""What a test waits for comes in milliseconds; only a defect lets it wait this long."""


class FaultyChain:
    """A chain whose methods fail with what stands in `faults`, wait at a gate, or answer from `answers`."""

    def __init__(self, chain: Any) -> None:
        self.real = chain
        self.faults: dict[str, Exception] = {}
        self.answers: dict[str, Any] = {}
        self.gates: dict[str, Gate] = {}
        self.calls: list[str] = []
        self.arguments: dict[str, tuple[Any, ...]] = {}
        """Of the last call of each."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if not callable(found):
            return found

        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            self.arguments[name] = arguments
            if name in self.faults:
                raise self.faults[name]
            result = self.answers[name] if name in self.answers else found(*arguments)
            gate = self.gates.get(name)
            if gate is not None:
                gate.pass_through()
            return result

        return call


class Gate:
    """Where a thread waits with its result until the test lets it go on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._go = threading.Event()
        self.reached = asyncio.Event()

    def pass_through(self) -> None:
        """On the thread."""
        self._loop.call_soon_threadsafe(self.reached.set)
        assert self._go.wait(WAIT_SECONDS_MAX)

    def open(self) -> None:
        """Let everyone through, now and later."""
        self._go.set()


class Stage:
    """A runtime and short ways to ask it."""

    def __init__(
        self, sealing: Sealing | None, folder: Path | None, interval_ms: int, source: SealedChain
    ) -> None:
        self.source = source
        self.faulty = FaultyChain(source.chain)
        self.blocks: list[Any] = []
        self.telemetry = Telemetry(self._on_block)
        self._block_came = asyncio.Event()
        chain: Any = self.faulty
        self.workers = Workers(asyncio.get_running_loop())
        journal = JournalKeeper(folder, chain, self.workers, self.telemetry)
        self.pool = Mempool(chain_port.pool_head(chain), PoolLimits(), has_journal=folder is not None)
        engine: Engine = IdleEngine()
        proposer = None
        if sealing is not None:
            head = chain_port.engine_head(chain)
            engine = RotationEngine(source.rules, Schedule(sealing, interval_ms), head)
            proposer = Proposer(VALIDATOR, address_of(VALIDATOR), source.chain.head.gas_limit)
        node = Node(engine, self.pool, sealing or Sealing.MANUAL)
        self.runtime = Runtime(node, RuntimePorts(chain, self.workers, proposer, journal, self.telemetry))

    @property
    def chain(self) -> Any:
        """The chain without its faults."""
        return self.source.chain

    def transfer(self, nonce: int, **fields: Any) -> bytes:
        return self.source.transfer(nonce, **fields)

    def submitted(self, *raws: bytes) -> asyncio.Future[list[Outcome]]:
        """Hand in transactions; what became of them comes once."""
        outcomes: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self.runtime.submit_many(list(raws), lambda: None, lambda answer: outcomes.set_result(list(answer)))
        return outcomes

    def sealed(self, blocks: int = 1, timestamp_s: int | None = None) -> asyncio.Future[Exception | None]:
        """Ask for blocks; how it went comes once."""
        end: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.runtime.seal(blocks, timestamp_s, end.set_result)
        return end

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait, block by block, until something holds."""
        while not condition():
            self._block_came.clear()
            await self._block_came.wait()

    def readiness(self) -> str:
        return self.telemetry.ready_page().body.decode()

    def _on_block(self, head: Any) -> None:
        self.blocks.append(head)
        self._block_came.set()


def play(
    scene: Callable[[Stage], Awaitable[None]],
    sealing: Sealing | None = Sealing.MANUAL,
    *,
    folder: Path | None = None,
    interval_ms: int = 1_000,
    source: SealedChain | None = None,
) -> SealedChain:
    """Run a scene on a started runtime, and stop it; the chain as it was left."""
    made = source or SealedChain(made=genesis(interval_s=1))

    async def run() -> None:
        stage = Stage(sealing, folder, interval_ms, made)
        defects: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: defects.append(context))
        stage.runtime.start()
        try:
            await asyncio.wait_for(scene(stage), WAIT_SECONDS_MAX)
        finally:
            stage.faulty.faults.clear()
            await asyncio.wait_for(stage.runtime.finish(), WAIT_SECONDS_MAX)
            stage.runtime.close()
        assert defects == []

    asyncio.run(run())
    return made


@contextmanager
def failing(stage: Stage, name: str, error: Exception) -> Iterator[None]:
    """A native call that fails for a while."""
    stage.faulty.faults[name] = error
    try:
        yield
    finally:
        stage.faulty.faults.pop(name, None)
