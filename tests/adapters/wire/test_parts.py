"""The parts of a network by themselves: the peers' file, the dialler, and bytes of all links together."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from coc.adapters.wire.dialer import Dialer
from coc.adapters.wire.link import Link
from coc.adapters.wire.peer_store import PeerStore
from coc.adapters.wire.traffic import Traffic
from coc.adapters.wire.wishes import Wishes
from coc.primitives.limits_wire import (
    DIAL_MS_MAX,
    PEER_STORE_BYTES_MAX,
    WIRE_ASSEMBLING_BYTES_MAX,
    WIRE_FRAME_BYTES_MAX,
    WIRE_LINGER_MS,
    WIRE_QUEUED_BYTES_MAX,
)
from coc.primitives.types import Millis
from coc.wire.addresses import PeerAddress
from coc.wire.errors import Reason
from coc.wire.kinds import ADDRESSES, BLOCK, CONSENSUS, DHT
from coc.wire.peer_book.known import Known, Source
from coc.wire.peer_book.store import StoredBook, encode_book
from coc.wire.session import Session
from tests.adapters.wire.stage import peer_of
from tests.wire.fakes import setup

NOW = Millis(1_700_000_000_000)
PLACE = PeerAddress("203.0.113.7", 1)
BOOK = encode_book([Known(PLACE, Source.TOLD)], [])


# ── The peers' file ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:  # WIRE-30
    store = PeerStore(tmp_path)
    assert store.load(NOW) == StoredBook()
    store.save(BOOK)

    assert [known.address for known in PeerStore(tmp_path).load(NOW).addresses] == [PLACE]
    assert [path.name for path in tmp_path.iterdir()] == ["peers"]


@pytest.mark.parametrize("data", [b"", b"junk", BOOK[:-1], bytes(PEER_STORE_BYTES_MAX + 1)])
def test_a_damaged_file_is_left_out_with_a_line_in_the_log(  # WIRE-30
    tmp_path: Path, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    (tmp_path / "peers").write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert PeerStore(tmp_path).load(NOW) == StoredBook()

    assert "COC-PEER-STORE" in caplog.text


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = PeerStore(tmp_path)
    store.save(BOOK)
    (tmp_path / "peers.new").mkdir()
    with caplog.at_level(logging.WARNING):
        store.save(encode_book([], []))

    assert "cannot be saved" in caplog.text
    assert len(store.load(NOW).addresses) == 1


def test_a_node_without_a_folder_forgets() -> None:
    PeerStore(None).save(BOOK)

    assert PeerStore(None).load(NOW) == StoredBook()


# ── Dials ───────────────────────────────────────────────────────────────────────────────────────────────────


class StuckLoop(asyncio.SelectorEventLoop):
    """A loop on whose network nothing ever answers, with a clock that the test moves."""

    skipped_s = 0.0

    def time(self) -> float:
        return super().time() + self.skipped_s

    async def create_connection(self, *arguments: object, **options: object) -> object:  # type: ignore[override]
        await self.create_future()
        raise AssertionError("a future that nobody fulfils")


class NoHttp:
    """Nothing is dialled over HTTP here."""

    async def connect(self, address: PeerAddress, make_link: Callable[[], Link]) -> None:
        raise AssertionError(address)


def test_a_dial_that_nobody_answers_is_given_up_in_time() -> None:
    async def use() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StuckLoop)
        failed: list[tuple[int, str]] = []
        dialer = Dialer(
            loop, NoHttp(), lambda number: Link(NoOwner(), number), lambda *what: failed.append(what)
        )
        dialer.dial(5, PLACE)
        for _ in range(5):
            await asyncio.sleep(0)
        loop.skipped_s = (DIAL_MS_MAX - 500) / 1000
        for _ in range(5):
            await asyncio.sleep(0)
        assert failed == []
        loop.skipped_s = (DIAL_MS_MAX + 500) / 1000
        for _ in range(20):
            await asyncio.sleep(0)
        assert failed == [(5, "no answer in time")]
        dialer.dial(6, PLACE)
        await asyncio.sleep(0)
        await dialer.close()
        assert len(failed) == 1

    with asyncio.Runner(loop_factory=StuckLoop) as runner:
        runner.run(use())


class NoOwner:
    """Nobody owns these links."""

    def begin(self, link: object) -> None:
        return None

    def on_events(self, link: object, events: object) -> None:
        return None

    def on_gone(self, link: object) -> None:
        return None

    def now_ms(self) -> int:
        return 0


# ── All links together ──────────────────────────────────────────────────────────────────────────────────────


class Figures:
    """A session as far as traffic looks at it."""

    def __init__(self, waiting: int = 0, assembling: int = 0) -> None:
        self.waiting_bytes = waiting
        self.assembling_bytes = assembling


def link_with(waiting: int = 0, assembling: int = 0) -> Link:
    link = Link(NoOwner())
    link.session = Figures(waiting, assembling)  # type: ignore[assignment]
    return link


def test_what_waits_for_all_peers_is_bounded_for_all_but_consensus_and_control() -> None:  # WIRE-11
    traffic = Traffic()
    links = [
        link_with(waiting=WIRE_FRAME_BYTES_MAX) for _ in range(WIRE_QUEUED_BYTES_MAX // WIRE_FRAME_BYTES_MAX)
    ]
    for link in links[:-1]:
        traffic.count(link)
    assert traffic.has_room_for(BLOCK, bytes(WIRE_FRAME_BYTES_MAX))
    traffic.count(links[-1])

    assert not traffic.has_room_for(BLOCK, b"x")
    assert not traffic.has_room_for(DHT, b"x")
    assert traffic.has_room_for(CONSENSUS, b"x")
    assert traffic.has_room_for(ADDRESSES, b"x")
    traffic.forget(links[0])
    assert traffic.has_room_for(BLOCK, bytes(WIRE_FRAME_BYTES_MAX))


def test_whoever_holds_most_of_too_many_unfinished_frames_is_named() -> None:  # WIRE-11
    traffic = Traffic()
    small = [link_with(assembling=WIRE_ASSEMBLING_BYTES_MAX // 64) for _ in range(60)]
    large = link_with(assembling=WIRE_ASSEMBLING_BYTES_MAX // 16)
    for link in (*small, large):
        traffic.count(link)
    assert traffic.greediest() is None
    large.session = Figures(assembling=WIRE_ASSEMBLING_BYTES_MAX // 16 + 1)  # type: ignore[assignment]
    traffic.count(large)

    assert traffic.greediest() is large
    traffic.forget(large)
    assert traffic.greediest() is None
    assert traffic.assembling_bytes == 60 * (WIRE_ASSEMBLING_BYTES_MAX // 64)


def test_figures_follow_what_links_hold_now() -> None:
    traffic = Traffic()
    link = link_with(waiting=100, assembling=5)
    traffic.count(link)
    traffic.count(link)
    link.session = None
    traffic.count(link)

    assert (traffic.waiting_bytes, traffic.assembling_bytes) == (0, 0)
    assert traffic._waiting == traffic._assembling == {}
    traffic.forget(link)
    traffic.forget(link)


# ── Wishes ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_waits_is_called_when_it_comes_to_nothing_and_only_then() -> None:  # WIRE-23
    wishes = Wishes()
    called: list[str] = []
    wishes.add(PLACE, peer_of(1), lambda: called.append("for one"))
    wishes.add(PLACE, None, lambda: called.append("for anybody"))
    wishes.fulfil(peer_of(1), None)
    for call in (*wishes.give_up(PLACE, peer_of(1)), *wishes.give_up(PLACE, None)):
        call()
    wishes.add(PLACE, None, lambda: called.append("never"))
    wishes.fulfil(peer_of(2), PLACE)

    assert called == ["for anybody"]
    assert wishes.give_up(PLACE, None) == ()


# ── One link ────────────────────────────────────────────────────────────────────────────────────────────────


class NotedTransport(asyncio.Transport):
    """A socket that is always ready, and notes what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.sock = socket.socket()
        self.calls: list[str] = []

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"socket": self.sock, "peername": ("203.0.113.7", 1)}.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.calls.append(f"limits {high}")

    def is_closing(self) -> bool:
        return "abort" in self.calls

    def write(self, data: object) -> None:
        self.calls.append("write")

    def write_eof(self) -> None:
        self.calls.append("eof")

    def abort(self) -> None:
        self.calls.append("abort")


class Owner(NoOwner):
    """Takes every link, and moves the clock."""

    time_ms = 0

    def begin(self, link: object) -> Session:  # type: ignore[override]
        return Session(setup(1), 0, is_initiator=True)

    def now_ms(self) -> int:
        return self.time_ms


def test_a_closed_link_stays_until_its_goodbye_can_be_read_and_then_hangs_up() -> None:  # WIRE-17
    owner, transport = Owner(), NotedTransport()
    link = Link(owner, 1)
    link.connection_made(transport)
    assert transport.calls == ["limits 0", "write"]
    link.leave(Reason.SHUTTING_DOWN)
    link.flush()
    link.data_received(b"what comes after the end is not read")
    assert transport.calls[2:] == ["eof"]
    link.tick(WIRE_LINGER_MS - 1)
    assert transport.calls[2:] == ["eof"]
    link.tick(WIRE_LINGER_MS)

    assert transport.calls[2:] == ["eof", "abort"]
    transport.sock.close()


def test_a_blocked_link_gives_its_socket_nothing_and_ends_behind_its_goodbye() -> None:  # WIRE-8
    owner, transport = Owner(), NotedTransport()
    link = Link(owner, 1)
    link.pause_writing()
    link.connection_made(transport)
    link.leave(Reason.SHUTTING_DOWN)
    assert transport.calls == ["limits 0"]
    link.resume_writing()

    assert transport.calls[1:] == ["write", "eof"]
    transport.sock.close()
