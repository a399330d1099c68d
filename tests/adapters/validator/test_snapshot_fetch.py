"""A folder is filled over loopback sockets, from a chain that real validators made, and goes on as a chain.

SYNC-1, SYNC-4, SYNC-6, SYNC-7, SYNC-12, SYNC-15.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from coc._native import Chain
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator import snapshot_building, snapshot_target
from coc.adapters.validator.door import door_to
from coc.adapters.validator.service import NetworkChoices, chain_facts
from coc.adapters.validator.snapshot_fetch import FetchSetup, fetch_snapshot
from coc.adapters.validator.snapshot_filling import FetchEnd, Foothold, Report, Trouble
from coc.adapters.validator.snapshot_serving import Pieces, ServingPorts, SnapshotServing
from coc.adapters.validator.snapshot_target import is_half_filled, load_target
from coc.adapters.wire.network import Network
from coc.adapters.wire.network_setup import NetworkSetup
from coc.adapters.workers import Workers
from coc.consensus.finality.checkpoint import BlockName, TrustedBlock
from coc.consensus.finality.faults import AnchorUnfit
from coc.consensus.sync.messages import BlockRange
from coc.consensus.sync.snapshot import finding, state, way
from coc.consensus.sync.snapshot.effects import Progressed
from coc.primitives.frozen import replace
from coc.primitives.types import Hash32, Height, PeerId
from coc.sim.full.network import REGISTRY
from coc.wire.addresses import PeerAddress
from coc.wire.identity import PeerFacts
from coc.wire.kinds import GET_STATE, GET_WAY, Kind
from coc.wire.peer_book.rules import PersistentPeer
from tests.adapters.wire.stage import HOST, secret
from tests.consensus.finality.real_chain import HEIGHT, history

INTERVAL = 16
TARGET = HEIGHT - HEIGHT % INTERVAL
ALL = BlockRange(Height(1), 1 << 22)


@pytest.fixture(autouse=True)
def young(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots of every sixteenth block: the chain has forty. The first one that is proved is taken."""
    monkeypatch.setattr(finding, "SNAPSHOT_FIND_WAIT_MS", 0)
    monkeypatch.setattr(way, "SNAPSHOT_INTERVAL_BLOCKS", INTERVAL)


class Server:
    """A node of the chain that serves, perhaps with an answer of its own for a kind."""

    def __init__(
        self,
        number: int,
        lies: dict[Kind, Callable[[bytes], bytes]] | None = None,
        pieces: Pieces | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.pieces = pieces or Pieces(history().chain, history().genesis, None)
        self.lies = lies or {}
        self.asked: list[Kind] = []
        self.workers = Workers(loop, threads=1)
        ports = ServingPorts(self, self.workers, Telemetry(lambda _: None), lambda: self.network)
        setup = NetworkSetup(secret(number), chain_facts(history().genesis_hash), (HOST, 0))
        self.network = Network(loop, setup, SnapshotServing(self, ports))

    @property
    def place(self) -> PersistentPeer:
        return PersistentPeer(PeerAddress(HOST, self.network.port))

    def answer(self, kind: Kind, body: bytes) -> bytes:
        self.asked.append(kind)
        true = self.pieces.answer(kind, body)
        return self.lies[kind](true) if kind in self.lies else true

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """Nothing to tell."""

    def on_peer_down(self, peer: PeerId) -> None:
        """Nothing to tell."""

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        raise AssertionError(f"{kind.name} was not answered")

    async def close(self) -> None:
        await self.network.close()
        await self.workers.drain()
        self.workers.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with block 0."""
    made = tmp_path / "node"
    Chain.open(history().genesis.text, str(made), b"").close()
    return made


async def fetched(
    folder: Path,
    servers: list[Server],
    told: Callable[[Report], None],
    stop: asyncio.Event,
    foothold: Foothold | None = None,
) -> FetchEnd:
    for server in servers:
        await server.network.start()
    peers = tuple(server.place for server in servers)
    setup = FetchSetup(history().genesis, folder, NetworkChoices(HOST, 0, secret(9), peers), foothold)
    try:
        return await fetch_snapshot(setup, told, stop)
    finally:
        for server in servers:
            await server.close()


def fill(folder: Path, *, liars: int = 0) -> tuple[FetchEnd, list[Report], list[Server]]:
    """Fill a folder from one honest node, and nodes that give other bytes than they should."""
    reports: list[Report] = []
    made: list[Server] = []

    async def run() -> FetchEnd:
        wrong = {GET_STATE: lambda true: true[:-1] + bytes([true[-1] ^ 1])}
        made.append(Server(1))
        made.extend(Server(2 + number, wrong) for number in range(liars))
        return await fetched(folder, made, reports.append, asyncio.Event())

    return asyncio.run(run()), reports, made


def opened(folder: Path) -> Chain:
    return Chain.open(history().genesis.text, str(folder), b"")


def test_a_filled_folder_opens_at_the_newest_snapshot_and_catches_up_by_blocks(folder: Path) -> None:
    end, reports, _ = fill(folder)
    assert end is FetchEnd.IS_CHAIN
    assert any(isinstance(report, Progressed) for report in reports)

    ours, theirs = opened(folder), history().chain
    assert ours.head.number == TARGET
    assert ours.head.hash == theirs.canonical_hash(TARGET)
    assert ours.head.seal == theirs.header(ours.head.hash).seal  # type: ignore[union-attr]  # it is its head
    server, client = door_to(theirs, history().genesis), door_to(ours, history().genesis)
    later = server.blocks(BlockRange(Height(TARGET + 1), ALL.bytes_max))
    adopted = client.adopt(PeerId(bytes(32)), later, [])
    assert (adopted.refused, adopted.failed) == ("", "")
    assert ours.head.hash == theirs.head.hash
    assert client.next_height() == server.next_height()
    ours.close()


def test_a_node_that_began_with_a_snapshot_shows_the_way_and_serves_one_itself(  # SYNC-6
    folder: Path, tmp_path: Path
) -> None:
    fill(folder)
    second = tmp_path / "second"
    opened(second).close()
    chain = opened(folder)

    async def run() -> FetchEnd:
        server = Server(1, pieces=Pieces(chain, history().genesis, folder))
        return await fetched(second, [server], lambda _: None, asyncio.Event())

    assert asyncio.run(run()) is FetchEnd.IS_CHAIN
    assert opened(second).head.hash == chain.head.hash


def test_one_honest_node_among_liars_is_enough(folder: Path) -> None:
    end, _, servers = fill(folder, liars=2)
    assert end is FetchEnd.IS_CHAIN
    assert opened(folder).head.number == TARGET
    assert any(GET_STATE in server.asked for server in servers[1:])


def test_nothing_remains_of_the_fetch_in_the_folder(folder: Path) -> None:
    fill(folder)
    names = {path.name for path in folder.iterdir()}
    assert not {name for name in names if name.startswith("snapshot")}


def test_a_fetch_that_is_stopped_goes_on_with_the_same_block(folder: Path) -> None:
    async def until_asked_for_state() -> FetchEnd:
        stop = asyncio.Event()

        def interrupt(true: bytes) -> bytes:
            asyncio_loop.call_soon_threadsafe(stop.set)
            return b""

        asyncio_loop = asyncio.get_running_loop()
        return await fetched(folder, [Server(1, {GET_STATE: interrupt})], lambda _: None, stop)

    assert asyncio.run(until_asked_for_state()) is FetchEnd.STOPPED
    assert is_half_filled(folder)
    kept = load_target(folder)
    assert kept is not None
    assert kept.height == TARGET

    end, _, servers = fill(folder)
    assert end is FetchEnd.IS_CHAIN
    assert GET_WAY not in servers[0].asked, "the block is known and was proved"
    assert opened(folder).head.number == TARGET


def test_a_chain_without_snapshots_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "SNAPSHOT_INTERVAL_BLOCKS", HEIGHT + 1)
    end, _, _ = fill(folder)
    assert end is FetchEnd.TOO_YOUNG
    assert not is_half_filled(folder)


def test_a_way_that_does_not_prove_itself_is_not_gone(folder: Path) -> None:
    async def run() -> FetchEnd:
        broken = {GET_WAY: lambda true: true[:-1] + bytes([true[-1] ^ 1])}
        servers = [Server(1), Server(2, broken)]
        return await fetched(folder, servers, lambda _: None, asyncio.Event())

    assert asyncio.run(run()) is FetchEnd.IS_CHAIN


def test_a_full_disk_is_told_and_the_fetch_is_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target's file cannot be written the first time; the retry comes at once here."""
    monkeypatch.setattr(state, "SNAPSHOT_RETRY_MS", 0)
    save, failures = snapshot_target.save_target, iter([OSError("no space left on the device")])

    def failing(*args: object) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        save(*args)  # type: ignore[arg-type]  # what it was called with

    monkeypatch.setattr(snapshot_building.__name__ + ".save_target", failing)
    end, reports, _ = fill(folder)
    assert end is FetchEnd.IS_CHAIN
    troubles = [report for report in reports if isinstance(report, Trouble)]
    assert ["no space left on the device" in trouble.reason for trouble in troubles] == [True]


# ── From a checkpoint ───────────────────────────────────────────────────────────────────────────────────────

CHECKPOINT = 20
TRUST_S = REGISTRY.unbonding_s * 2 // 3


def fill_from(folder: Path, trusted: TrustedBlock, *, age_s: int = TRUST_S) -> FetchEnd:
    """Fill a folder from one node, on from a block that is so many seconds older than our clock."""
    clock_s = history().checkpoint(trusted.height).time_s + age_s

    async def run() -> FetchEnd:
        foothold = Foothold(trusted, clock_s)
        return await fetched(folder, [Server(1)], lambda _: None, asyncio.Event(), foothold)

    return asyncio.run(run())


@pytest.mark.parametrize("by_name", [False, True])
def test_a_folder_is_filled_on_from_a_checkpoint(folder: Path, by_name: bool) -> None:  # SYNC-17
    known = history().checkpoint(CHECKPOINT)
    trusted = BlockName(known.height, known.block) if by_name else known
    assert fill_from(folder, trusted) is FetchEnd.IS_CHAIN
    assert opened(folder).head.number == TARGET


def test_behind_a_young_checkpoint_the_state_of_the_head_is_fetched(folder: Path) -> None:  # SYNC-17
    assert fill_from(folder, history().checkpoint(HEIGHT - 1)) is FetchEnd.IS_CHAIN
    assert opened(folder).head.number == HEIGHT


def test_a_checkpoint_at_which_nothing_can_begin_is_refused_with_the_cure(folder: Path) -> None:  # SYNC-18
    known = history().checkpoint(CHECKPOINT)
    for trusted, age_s, what in (
        (known, TRUST_S + 1, "too old"),
        (BlockName(known.height, known.block), TRUST_S + 1, "too old"),
        (replace(known, genesis_hash=Hash32(bytes(32))), 0, "another chain"),
        (replace(known, next_set_hash=Hash32(bytes(32))), 0, "contradicts itself"),
        (BlockName(known.height, Hash32(bytes(32))), 0, "not of this chain"),
        (replace(known, block=Hash32(bytes(32))), 0, "not of this chain"),
    ):
        with pytest.raises(AnchorUnfit, match=what) as caught:
            fill_from(folder, trusted, age_s=age_s)
        assert caught.value.cure
        assert not is_half_filled(folder)
