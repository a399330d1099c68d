"""A chain that differs gives its place to the certified state, fetched beside it from peers.

DIVERGE-9 … DIVERGE-13.
"""

from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path
from typing import Any

import pytest

from coc._native import Chain
from coc.adapters.chain_exchange import FETCHED, FETCHING, SET_ASIDE
from coc.adapters.chain_port import open_chain
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.divergence_desk import DIVERGENCE, DivergenceDesk
from coc.adapters.validator.divergence_file import REPORT_FILE, healings_in
from coc.adapters.validator.door import door_to
from coc.adapters.validator.snapshot_serving import ANSWER_OF, Pieces
from coc.adapters.validator.snapshot_taking_in import Renewal, StateTaking, TakingPorts
from coc.consensus.sync.divergence.taking_in import BY_HAND, Healings
from coc.consensus.sync.messages import BlockRange
from coc.consensus.sync.snapshot import finding, way
from coc.consensus.sync.snapshot.messages import NOTHING, Numbered, decode_numbered, encode_numbered
from coc.primitives.types import Height, PeerId
from coc.wire.kinds import GET_STATE, Kind
from tests.consensus.finality.real_chain import HEIGHT, history

INTERVAL = 16
TARGET = HEIGHT - HEIGHT % INTERVAL
DIFFERS_AT = Height(6)
LIAR, HONEST = PeerId(b"\x01" * 32), PeerId(b"\x02" * 32)


@pytest.fixture(autouse=True)
def young(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots of every sixteenth block: the chain has forty. The first one that is proved is taken."""
    monkeypatch.setattr(finding, "SNAPSHOT_FIND_WAIT_MS", 0)
    monkeypatch.setattr(way, "SNAPSHOT_INTERVAL_BLOCKS", INTERVAL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder whose chain ends before the block that differs, and a signer's mark."""
    made = tmp_path / "node"
    chain = Chain.open(history().genesis.text, str(made), b"")
    server, client = door_to(history().chain, history().genesis), door_to(chain, history().genesis)
    blocks = server.blocks(BlockRange(Height(1), 1 << 22))[: DIFFERS_AT - 1]
    assert client.adopt(HONEST, blocks, []).refused == ""
    chain.close()
    (made / "keys").mkdir()
    (made / "keys" / "signer.mark").write_text("a mark")
    return made


def opened(folder: Path) -> Chain:
    """The folder's chain, once nobody holds it any more."""
    gc.collect()
    return open_chain(history().genesis.text, folder, {})


class Life:
    """One life of the part that takes in, among peers that serve the chain, lie, or have nothing."""

    def __init__(self, folder: Path, *, liar: bool = False, young: bool = False) -> None:
        self.folder, self.is_young = folder, young
        self.chain = opened(folder)
        self.telemetry = Telemetry()
        self.pieces = Pieces(history().chain, history().genesis, None)
        self.accused: list[PeerId] = []
        self.told = asyncio.Event()
        self.renewed = asyncio.Event()
        self.renewal = Renewal(history().genesis, self.renewed.set)
        ports = TakingPorts(self.chain, self.telemetry, lambda: self, self.told.set)
        self.taking = StateTaking(folder, self.renewal, ports, Healings())
        for peer in ((LIAR,) if liar else ()) + (HONEST,):
            self.taking.on_peer_up(peer)

    def send(self, peer: PeerId, kind: Kind, payload: bytes) -> bool:
        message = decode_numbered(payload)
        body = NOTHING if self.is_young else self.pieces.answer(kind, message.body)
        if peer == LIAR and kind is GET_STATE:
            body = body[:-1] + bytes([body[-1] ^ 1])
        answer = encode_numbered(Numbered(message.number, body))
        asyncio.get_running_loop().call_soon(self.taking.on_message, peer, ANSWER_OF[kind], answer)
        return True

    def misbehaved(self, peer: PeerId, reason: str) -> None:
        assert reason
        self.accused.append(peer)

    async def end(self) -> None:
        await self.taking.finish()
        self.chain.close()

    async def until_said(self, words: str) -> None:
        while words not in self.taking.sentence:
            self.told.clear()
            await self.told.wait()


def test_the_certified_state_takes_the_place_of_the_chain_whatever_a_liar_says(folder: Path) -> None:
    async def play() -> None:
        life = Life(folder, liar=True)
        life.taking.begin(DIFFERS_AT)
        await life.renewed.wait()
        assert life.chain.head.number == DIFFERS_AT - 1, "what was agreed on is served until the end"
        assert HONEST not in life.accused
        assert b"coc_certified_state_fetched 1" in life.telemetry.metrics.page().body
        await life.end()

    asyncio.run(play())
    fresh = opened(folder)
    assert fresh.head.hash == history().chain.canonical_hash(TARGET)
    fresh.close()
    assert (folder / "keys" / "signer.mark").read_text() == "a mark"
    assert not (folder / FETCHED).exists()
    assert (folder / SET_ASIDE / "log").is_dir()


def test_a_chain_that_is_too_young_is_told_and_ours_stays(folder: Path) -> None:
    async def play() -> None:
        life = Life(folder, young=True)
        life.taking.begin(DIFFERS_AT)
        await life.until_said("no block yet whose state is served")
        assert BY_HAND in life.taking.sentence
        assert not life.renewed.is_set()
        await life.end()

    asyncio.run(play())
    ours = opened(folder)
    assert ours.head.number == DIFFERS_AT - 1
    ours.close()


def test_a_life_that_ends_while_it_fetches_leaves_the_chain_and_the_next_fetches_on(folder: Path) -> None:
    async def first() -> None:
        life = Life(folder)
        life.taking.begin(DIFFERS_AT)
        await life.until_said("fetching the certified state after block")
        await life.end()

    async def second() -> None:
        life = Life(folder)
        assert life.chain.head.number == DIFFERS_AT - 1
        life.taking.begin(DIFFERS_AT)
        await life.renewed.wait()
        await life.end()

    asyncio.run(first())
    assert (folder / FETCHING).is_dir()
    asyncio.run(second())
    fresh = opened(folder)
    assert fresh.head.number == TARGET
    fresh.close()


def test_a_node_that_recovers_by_itself_removes_what_it_fetched(folder: Path) -> None:
    async def play() -> None:
        life = Life(folder)
        life.taking.begin(DIFFERS_AT)
        await life.until_said("fetching the certified state after block")
        assert (folder / FETCHING).is_dir()
        life.taking.end()
        await life.end()
        assert not (folder / FETCHING).exists()
        assert life.taking.sentence == ""

    asyncio.run(play())


class Behind:
    """The node behind the desk, which has nothing to do here."""

    def on_peer_up(self, *_: object) -> None: ...
    def on_peer_down(self, *_: object) -> None: ...
    def on_message(self, *_: object) -> None: ...


def desk_after_exchange(folder: Path, kept: dict[str, Any], *, lives: int = 1) -> dict[str, Any]:
    """What the file says after a life that began on an exchanged chain, with this in it before."""
    (folder / REPORT_FILE).write_text(json.dumps(kept))
    (folder / SET_ASIDE / "log").mkdir(parents=True)

    async def play(*, is_last: bool) -> None:
        chain = opened(folder)
        life = Telemetry()
        desk = DivergenceDesk(
            Behind(), (chain, life), unused, folder, Renewal(history().genesis, lambda: None)
        )
        assert desk.facts() is None, DIVERGENCE
        await desk.finish()
        chain.close()
        assert not (folder / SET_ASIDE).exists()
        if not is_last:
            (folder / SET_ASIDE).mkdir()  # as if it was killed before that was removed

    for number in range(lives):
        asyncio.run(play(is_last=number == lives - 1))
    found: dict[str, Any] = json.loads((folder / REPORT_FILE).read_text())
    return found


def unused() -> Any:
    raise AssertionError("nobody is asked")


@pytest.mark.parametrize("lives", [1, 2])
def test_the_life_after_says_how_it_was_healed_counts_it_once_and_removes_the_old_chain(
    folder: Path, lives: int
) -> None:
    before = {"number": DIFFERS_AT - 1, "takenIn": {"inARow": 1, "block": 3}}
    found = desk_after_exchange(folder, before, lives=lives)
    assert found["healed"] is True
    assert "certified state after block 5 was taken in" in found["how"]
    assert healings_in(found) == Healings(2, Height(DIFFERS_AT - 1))


def test_a_file_that_says_nothing_counts_as_the_first(folder: Path) -> None:
    found = desk_after_exchange(folder, {})
    assert healings_in(found) == Healings(1, Height(DIFFERS_AT - 1))
    assert healings_in({"takenIn": {"inARow": "many"}}) == Healings()
