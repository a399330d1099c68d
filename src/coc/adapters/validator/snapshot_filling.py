"""A folder on its way to the state of a final block, from peers that somebody else's network brings.

Two machines decide (`coc.consensus.sync.snapshot`): one finds the block, one fetches its state. Everything
that touches the folder runs on one thread, in order. It ends when the folder is a chain, when the chain turns
out to be too young, or when it is told to stop; then what is built in is saved.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias, assert_never

from coc.adapters.validator.snapshot_building import Building
from coc.adapters.validator.snapshot_serving import Talker
from coc.adapters.validator.snapshot_target import load_target
from coc.adapters.validator.way_file import WayFile
from coc.adapters.workers import Workers
from coc.consensus.finality.build import Provable
from coc.consensus.finality.checkpoint import TrustedBlock
from coc.consensus.finality.faults import AnchorUnfit
from coc.consensus.finality.header import decode_header
from coc.consensus.finality.verify import refuse_unfit
from coc.consensus.sync.snapshot import effects as fx
from coc.consensus.sync.snapshot import finding
from coc.consensus.sync.snapshot import inputs as ev
from coc.consensus.sync.snapshot.effects import Progressed, Subject
from coc.consensus.sync.snapshot.finding import TargetFinder
from coc.consensus.sync.snapshot.machine import SnapshotSync
from coc.consensus.sync.snapshot.way import Page, Untrodden, at_clock, follow_page, way_from_genesis
from coc.execution.genesis import Genesis
from coc.primitives.errors import CocError
from coc.primitives.frozen import frozen
from coc.primitives.types import Height, Millis, PeerId
from coc.wire.kinds import CODES, GET_CODES, GET_HEADERS, GET_STATE, GET_WAY, HEADERS, STATE, WAY, Kind

REQUEST_OF: Final = {
    Subject.STATE: GET_STATE,
    Subject.CODES: GET_CODES,
    Subject.SURROUNDINGS: GET_HEADERS,
}


@frozen
class Looking:
    """So many peers are connected, and none has shown a block yet."""

    peers: int


@frozen
class Trouble:
    """What a person must know: it is tried again."""

    reason: str


Report: TypeAlias = Looking | Progressed | Trouble


class FetchEnd(enum.Enum):
    """How a fetch has ended."""

    IS_CHAIN = "the folder is a chain"
    TOO_YOUNG = "the chain has no block yet whose state is served"
    STOPPED = "told to stop"


@frozen
class Foothold:
    """A final block that somebody else told, and the time at which that is trusted."""

    block: TrustedBlock
    clock_s: int


@frozen
class Filling:
    """The folder to fill, a chain that is open and whose genesis is the same, and where to begin."""

    genesis: Genesis
    folder: Path
    provable: Provable
    foothold: Foothold | None = None
    """Where the way begins, if not at genesis."""
    above: Height = Height(0)
    """Only a block above this height will do."""


class SnapshotFetch:
    """Performs what the two machines ask for, and hears what peers answer."""

    def __init__(
        self, filling: Filling, network: Callable[[], Talker], told: Callable[[Report], None]
    ) -> None:
        """Nothing is asked for before `start`.

        Raises:
            AnchorUnfit: nothing can begin at the checkpoint.
        """
        self._loop = asyncio.get_running_loop()
        self.end: asyncio.Future[FetchEnd] = self._loop.create_future()
        self._filling, self._told = filling, told
        self._network = network
        finder = _finder(filling.provable, filling.foothold)
        self._workers = Workers(self._loop, threads=1)
        self._building = Building(filling.folder, filling.genesis.text)
        registry = filling.provable.rules.registry
        self._way = None if registry is None else WayFile(filling.folder, registry.period_blocks)
        self._finder = finder
        self._machine: SnapshotSync | None = None
        self._peers: dict[PeerId, None] = {}
        self._begun = 0
        self._began_s = self._loop.time()
        self._is_closing = False

    def start(self) -> None:
        """Go on with the block of an earlier start, or look for one."""
        target = load_target(self._filling.folder)
        if target is None or target.height <= self._filling.above:
            self._find(finding.Seek(self._filling.above))
        else:
            self._fetch(target)

    async def close(self) -> None:
        """Ask nothing more, and save what is built in."""
        self._is_closing = True
        self._workers.run(self._building.close, lambda _: None)
        await self._workers.drain()
        self._workers.close()

    # ── What peers say ──────────────────────────────────────────────────────────────────────────────────────

    def on_peer_up(self, peer: PeerId) -> None:
        """One more can be asked."""
        self._peers[peer] = None
        self._step_both(ev.PeerCame(peer))
        if self._machine is None:
            self._told(Looking(len(self._peers)))

    def on_peer_down(self, peer: PeerId) -> None:
        """One is gone."""
        self._peers.pop(peer, None)
        self._step_both(ev.PeerGone(peer))

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        """An answer; whatever else a peer tells is not for us yet."""
        if kind is WAY:
            self._find(finding.WayReceived(peer, payload))
        elif kind is STATE:
            self._step(ev.StateReceived(peer, payload))
        elif kind is CODES:
            self._step(ev.CodesReceived(peer, payload))
        elif kind is HEADERS:
            self._step(ev.SurroundingsReceived(peer, payload))

    def _step_both(self, event: ev.PeerCame | ev.PeerGone) -> None:
        self._find(event)
        self._step(event)

    # ── Finding the block ───────────────────────────────────────────────────────────────────────────────────

    def _find(self, event: finding.FindingInput) -> None:
        if self._is_closing:
            return
        for effect in self._finder.step(self._now(), event):
            match effect:
                case finding.AskWay():
                    self._network().send(effect.peer, GET_WAY, effect.payload)
                case finding.VerifyWay():
                    self._follow(effect)
                case finding.Found(target):
                    self._on_found(target)
                case finding.Contradicted(target):
                    self._fail(_contradiction(target))
                case finding.NothingFound():
                    self._on_nothing_found()
                case finding.WakeFinder(at_ms):
                    self._at(at_ms, lambda: self._find(ev.TimerFired()))
                case finding.Lied(peer, reason):
                    self._network().misbehaved(peer, reason)
                case _:
                    assert_never(effect)

    def _follow(self, effect: finding.VerifyWay) -> None:
        def done(result: Page | Exception) -> None:
            match result:
                case Page():
                    self._find(finding.WayVerified(effect.number, result))
                case AnchorUnfit():
                    self._fail(result)
                case CocError():
                    why = f"{result.what}: {result.why}" if result.why else result.what
                    self._find(finding.WayRefused(effect.number, why))
                case _:
                    self._fail(result)

        beginning = effect.walk
        if self._filling.foothold is not None:  # blocks are made while others are fetched
            elapsed_s = self._loop.time() - self._began_s
            beginning = at_clock(beginning, self._filling.foothold.clock_s + int(elapsed_s))

        def work() -> Page:
            page = follow_page(beginning, effect.body)
            if self._way is not None and page.links:
                self._way.extend(page.first, page.links)
            return page

        self._workers.run(work, done)

    def _on_nothing_found(self) -> None:
        if self._machine is not None:
            return
        foothold = self._filling.foothold
        if foothold is None:
            self._finish(FetchEnd.TOO_YOUNG)
        else:
            place = f"the checkpoint {foothold.block.height:,}"
            self._told(Trouble(f"no peer shows a way on from {place} yet; they are asked again"))

    def _on_found(self, target: ev.Target) -> None:
        if self._machine is None:
            self._fetch(target)
        else:
            self._step(ev.TargetFound(target))

    def _fetch(self, target: ev.Target) -> None:
        self._machine = SnapshotSync(target)
        self._step(ev.Started())
        for peer in self._peers:
            self._step(ev.PeerCame(peer))

    # ── Fetching its state ──────────────────────────────────────────────────────────────────────────────────

    def _step(self, event: ev.Input) -> None:
        if self._is_closing or self._machine is None:
            return
        for effect in self._machine.step(self._now(), event):
            self._perform(effect)

    def _perform(self, effect: fx.Effect) -> None:
        building = self._building
        match effect:
            case fx.Begin(target):
                self._begun += 1
                self._build(lambda: building.begin(target))
            case fx.Ask():
                self._network().send(effect.peer, REQUEST_OF[effect.subject], effect.payload)
            case fx.VerifyState():
                self._build(lambda: building.add_state(effect))
            case fx.VerifyCodes():
                self._build(lambda: building.add_codes(effect))
            case fx.VerifySurroundings():
                self._build(lambda: building.add_surroundings(effect))
            case fx.Finish(target):
                self._build(lambda: building.finish(target))
            case fx.FindTarget():
                self._find(finding.Seek(self._height()))
            case fx.SetTimer(at_ms):
                self._at(at_ms, lambda: self._step(ev.TimerFired()))
            case fx.Misbehaved(peer, reason):
                self._network().misbehaved(peer, reason)
            case fx.Progressed():
                self._told(effect)
            case fx.Alarm(reason):
                self._told(Trouble(reason))
            case _:
                assert_never(effect)

    def _build(self, work: Callable[[], ev.Input]) -> None:
        """Do it on the folder's thread; what comes of it is of no interest once another block was begun."""
        begun = self._begun

        def done(result: ev.Input | Exception) -> None:
            if isinstance(result, Exception):
                self._fail(result)
                return
            if begun != self._begun:
                return
            self._step(result)
            if isinstance(result, ev.Finished):
                self._finish(FetchEnd.IS_CHAIN)

        self._workers.run(work, done)

    def _height(self) -> Height:
        return self._filling.above if self._machine is None else self._machine.target.height

    def _finish(self, end: FetchEnd) -> None:
        if not self.end.done():
            self.end.set_result(end)

    def _fail(self, defect: Exception) -> None:
        """Our own mistake: nothing more can be done here."""
        if not self.end.done():
            self.end.set_exception(defect)

    def _at(self, at_ms: Millis, call: Callable[[], None]) -> None:
        self._loop.call_later(max(0, at_ms - self._now()) / 1000, call)

    def _now(self) -> Millis:
        """Only differences count."""
        return Millis(int(self._loop.time() * 1000))


def _finder(provable: Provable, foothold: Foothold | None) -> TargetFinder:
    rules = provable.rules
    walk = way_from_genesis(rules, decode_header(provable.origin.genesis_header))
    if foothold is None:
        return TargetFinder(walk)
    refuse_unfit(foothold.block, rules, foothold.clock_s)
    return TargetFinder(Untrodden(rules, foothold.block, foothold.clock_s), doubt=walk)


def _contradiction(target: ev.Target) -> AnchorUnfit:
    return AnchorUnfit(
        "the checkpoint is not of this chain",
        why=f"certificates since genesis prove 0x{target.block.hex()} final at height {target.height}",
        cure="get a checkpoint from somebody you trust; if this is one, old validators misuse their keys",
    )
