"""The certified state, fetched beside a chain that differs and taken in its place.

The machine of `coc.consensus.sync.divergence.taking_in` decides. The node goes on serving what it agreed on
meanwhile, and the fetch uses its peers. What was fetched is opened as a chain before ours is given up for it;
the exchange itself is `coc.adapters.chain_exchange`, and done by whoever opens the folder next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, assert_never

from coc._native import Chain
from coc.adapters import chain_exchange
from coc.adapters.chain_port import explained
from coc.adapters.data_folder import GENESIS_FILE
from coc.adapters.finality_files import provable_chain
from coc.adapters.flushing import sentence_of
from coc.adapters.metrics import Kind as SeriesKind
from coc.adapters.metrics import Series
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.divergence_file import taken_in
from coc.adapters.validator.snapshot_filling import (
    FetchEnd,
    Filling,
    Looking,
    Report,
    SnapshotFetch,
    Trouble,
)
from coc.adapters.validator.snapshot_serving import Talker
from coc.adapters.workers import Workers
from coc.consensus.finality.build import Provable
from coc.consensus.sync.divergence import taking_in as machine
from coc.consensus.sync.divergence.taking_in import Healings, Stand, TakingIn
from coc.consensus.sync.snapshot.effects import Progressed
from coc.execution.genesis import Genesis
from coc.primitives.frozen import frozen
from coc.primitives.types import Height, Millis, PeerId
from coc.wire.kinds import CODES, HEADERS, STATE, WAY, Kind

MILLION: Final = 1_000_000
TOLD_PARTS: Final = 10
"""How often at most a line says how far a fetch is: what is exact is in the metrics."""
ANSWERS: Final = frozenset({WAY, HEADERS, STATE, CODES})


@frozen
class Renewal:
    """The genesis of a chain whose place another may take, and who starts the node again then."""

    genesis: Genesis
    start_again: Callable[[], None]


@frozen
class TakingPorts:
    """What taking in needs of the node."""

    chain: Chain
    telemetry: Telemetry
    network: Callable[[], Talker]
    told: Callable[[], None]
    """Told whenever `sentence` has changed."""


class StateTaking:
    """Performs what the machine asks for."""

    def __init__(self, folder: Path, renewal: Renewal, ports: TakingPorts, healings: Healings) -> None:
        """Nothing happens before `begin`; `healings` are those of earlier lives."""
        self._loop = asyncio.get_running_loop()
        self._folder, self._renewal, self._ports = folder, renewal, ports
        self._machine = TakingIn(healings)
        self._peers: dict[PeerId, None] = {}
        self._fetch: SnapshotFetch | None = None
        self._closing: list[asyncio.Task[None]] = []
        self._workers = Workers(self._loop, threads=1)
        self._millionths = 0
        self._is_closing = False
        self.sentence = ""
        """How it stands, for a person; empty where nothing is taken in."""
        ports.telemetry.metrics.add(
            Series(
                "coc_certified_state_fetched",
                SeriesKind.GAUGE,
                "Part of the certified state that is here, of 1, while it is fetched to be taken in.",
                lambda: self._millionths / MILLION,
            )
        )

    def begin(self, height: Height) -> None:
        """Nothing else cures the difference at this height."""
        self._step(machine.Uncured(height))

    def look(self) -> None:
        """Some time has gone by."""
        self._step(machine.TimerFired())

    def end(self) -> None:
        """The node has come past the block by itself."""
        self._step(machine.Recovered())
        self.sentence, self._millionths = "", 0

    def facts(self) -> dict[str, object]:
        """What is to be remembered, and how it stands, as JSON."""
        return {"taking": self.sentence} | taken_in(self._machine.healings)

    def clear(self) -> None:
        """Remove what the last exchange has left, or a fetch that nobody needs any more."""

        def work() -> None:
            for name in (chain_exchange.SET_ASIDE, chain_exchange.FETCHING):
                chain_exchange.remove(self._folder / name)

        self._workers.run(work, self._noticed)

    async def finish(self) -> None:
        """Stop fetching, and save what is here."""
        self._is_closing = True
        self._end_fetch()
        for task in list(self._closing):
            await task
        await self._workers.drain()
        self._workers.close()

    # ── Peers ───────────────────────────────────────────────────────────────────────────────────────────────

    def on_peer_up(self, peer: PeerId) -> None:
        """One more can be asked."""
        self._peers[peer] = None
        if self._fetch is not None:
            self._fetch.on_peer_up(peer)

    def on_peer_down(self, peer: PeerId) -> None:
        """One is gone."""
        self._peers.pop(peer, None)
        if self._fetch is not None:
            self._fetch.on_peer_down(peer)

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> bool:
        """Take an answer to the fetch; False where it is none."""
        if self._fetch is None or kind not in ANSWERS:
            return False
        self._fetch.on_message(peer, kind, payload)
        return True

    # ── The machine ─────────────────────────────────────────────────────────────────────────────────────────

    def _step(self, event: machine.Input) -> None:
        for effect in self._machine.step(self._now(), event):
            match effect:
                case machine.BeginFetch(above):
                    self._begin_fetch(above)
                case machine.EndFetch():
                    self._end_fetch()
                case machine.TakeIn():
                    self._workers.run(lambda: chain_exchange.commit(self._folder), self._committed)
                case machine.Forget():
                    self._forget()
                case machine.Say(sentence):
                    self._say(sentence)
                case _:
                    assert_never(effect)

    def _begin_fetch(self, above: Height) -> None:
        def prepared(result: Provable | Exception) -> None:
            if isinstance(result, Exception):
                self._step(machine.FetchEnded(sentence_of(result)))
            elif self._machine.stand is Stand.FETCHING and not self._is_closing:
                self._fetch_from(result, above)

        self._workers.run(self._prepare, prepared)

    def _prepare(self) -> Provable:
        """Make the folder one of this chain, where it is not yet."""
        folder = self._folder / chain_exchange.FETCHING
        folder.mkdir(exist_ok=True)
        fresh = folder / f"{GENESIS_FILE}.new"
        if not (folder / GENESIS_FILE).exists():
            fresh.write_bytes(self._renewal.genesis.text)
            fresh.replace(folder / GENESIS_FILE)
        with explained():
            return provable_chain(self._ports.chain, self._renewal.genesis)

    def _fetch_from(self, provable: Provable, above: Height) -> None:
        folder = self._folder / chain_exchange.FETCHING
        filling = Filling(self._renewal.genesis, folder, provable, above=above)
        fetch = SnapshotFetch(filling, self._ports.network, self._moved)
        self._fetch = fetch
        fetch.end.add_done_callback(lambda end: self._fetched(fetch, end))
        fetch.start()
        for peer in self._peers:
            fetch.on_peer_up(peer)

    def _end_fetch(self) -> None:
        fetch, self._fetch = self._fetch, None
        if fetch is not None:
            under_way = [task for task in self._closing if not task.done()]
            self._closing = [*under_way, self._loop.create_task(fetch.close())]

    def _fetched(self, fetch: SnapshotFetch, end: asyncio.Future[FetchEnd]) -> None:
        if fetch is not self._fetch:
            return
        error = end.exception()
        if error is not None:
            self._step(machine.FetchEnded(str(error)))
        elif end.result() is FetchEnd.IS_CHAIN:
            self._workers.run(self._opened, self._checked)
        else:
            self._step(machine.FetchEnded(end.result().value))

    def _opened(self) -> int:
        """The block on which the fetched chain stands, once it has been opened as a chain is."""
        folder = self._folder / chain_exchange.FETCHING
        fetched = Chain.open(self._renewal.genesis.text, str(folder), b"")
        try:
            return fetched.head.number
        finally:
            fetched.close()

    def _checked(self, result: int | Exception) -> None:
        if isinstance(result, Exception):
            self._step(machine.FetchEnded(sentence_of(result)))
            self._forget()
        else:
            self._step(machine.Fetched())

    def _committed(self, result: Exception | None) -> None:
        if isinstance(result, Exception):
            self._say(f"the certified state cannot be put in its place: {sentence_of(result)}")
        else:
            self._renewal.start_again()

    def _forget(self) -> None:
        """Remove what was fetched, once nothing writes there any more."""
        closing, self._closing = self._closing, []

        async def forget() -> None:
            for task in closing:
                await task
            self._workers.run(
                lambda: chain_exchange.remove(self._folder / chain_exchange.FETCHING), self._noticed
            )

        self._closing.append(self._loop.create_task(forget()))

    # ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────

    def _moved(self, report: Report) -> None:
        match report:
            case Progressed():
                self._step(machine.FetchMoved())
                self._millionths = report.done_millionths
                parts = TOLD_PARTS * report.done_millionths // MILLION
                percent = f"{100 * parts // TOLD_PARTS} %"
                self._say(f"fetching the certified state after block {report.height:,}: {percent}")
            case Trouble(reason):
                self._ports.telemetry.notice(f"fetching the certified state: {reason}")
            case Looking():
                return
            case _:
                assert_never(report)

    def _say(self, sentence: str) -> None:
        if sentence != self.sentence:
            self.sentence = sentence
            self._ports.told()

    def _noticed(self, result: Exception | None) -> None:
        if isinstance(result, Exception):
            self._ports.telemetry.notice(f"an old chain cannot be removed: {sentence_of(result)}")

    def _now(self) -> Millis:
        """Only differences count."""
        return Millis(int(self._loop.time() * 1000))
