"""Requests about snapshots: what is answered, how much of it at a time, and who is at fault. SYNC-5."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from coc._native import StorageFailed
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.snapshot_serving import ServingPorts, SnapshotServing
from coc.adapters.workers import Workers
from coc.consensus.sync.snapshot.messages import Numbered, SnapshotMessageInvalid, encode_numbered
from coc.primitives.limits_snapshot import SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX, SNAPSHOT_SERVED_REQUESTS_MAX
from coc.primitives.types import PeerId
from coc.wire.identity import PeerFacts
from coc.wire.kinds import CONSENSUS, GET_CODES, GET_STATE, GET_WAY, STATE, WAY, Kind


def peer(number: int) -> PeerId:
    return PeerId(number.to_bytes(32, "big"))


@dataclass
class Stage:
    """The router, with what it sends, reports and hands on; answers wait for the gate."""

    fault: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    sent: list[tuple[PeerId, Kind, bytes]] = field(default_factory=list)
    reported: list[tuple[PeerId, str]] = field(default_factory=list)
    handed_on: list[Kind] = field(default_factory=list)
    answered: list[tuple[Kind, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.telemetry = Telemetry(lambda _: None)
        self.workers = Workers(asyncio.get_running_loop(), threads=1)
        self.router = SnapshotServing(self, ServingPorts(self, self.workers, self.telemetry, lambda: self))

    def answer(self, kind: Kind, body: bytes) -> bytes:
        self.gate.wait()
        self.answered.append((kind, body))
        if self.fault is not None:
            raise self.fault
        return b"answer to " + body

    def send(self, peer: PeerId, kind: Kind, payload: bytes) -> bool:
        self.sent.append((peer, kind, payload))
        return True

    def misbehaved(self, peer: PeerId, reason: str) -> None:
        self.reported.append((peer, reason))

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        raise AssertionError

    def on_peer_down(self, peer: PeerId) -> None:
        self.handed_on.append(CONSENSUS)

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        self.handed_on.append(kind)

    def ask(self, who: PeerId, kind: Kind, number: int = 1) -> None:
        self.router.on_message(who, kind, encode_numbered(Numbered(number, b"%d" % number)))

    async def settle(self) -> None:
        self.gate.set()
        await self.workers.drain()


def on_loop(play: Callable[[Stage], None], fault: Exception | None = None) -> Stage:
    """The stage after a play, when everything has been answered."""

    async def run() -> Stage:
        stage = Stage(fault)
        play(stage)
        await stage.settle()
        stage.workers.close()
        return stage

    return asyncio.run(run())


def test_a_request_is_answered_under_its_number_with_the_kind_that_belongs_to_it() -> None:  # SYNC-2
    def play(stage: Stage) -> None:
        stage.ask(peer(1), GET_STATE, 7)
        stage.ask(peer(2), GET_WAY, 8)

    stage = on_loop(play)
    assert stage.sent == [
        (peer(1), STATE, encode_numbered(Numbered(7, b"answer to 7"))),
        (peer(2), WAY, encode_numbered(Numbered(8, b"answer to 8"))),
    ]
    assert stage.handed_on == []


def test_everything_else_is_the_nodes() -> None:
    def play(stage: Stage) -> None:
        stage.router.on_message(peer(1), CONSENSUS, b"vote")
        stage.router.on_peer_down(peer(1))

    stage = on_loop(play)
    assert stage.handed_on == [CONSENSUS, CONSENSUS]
    assert stage.answered == []


def test_of_one_peer_only_so_many_requests_are_answered_at_a_time() -> None:
    def play(stage: Stage) -> None:
        for number in range(SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX + 3):
            stage.ask(peer(1), GET_CODES, number)
        stage.ask(peer(2), GET_CODES, 99)

    stage = on_loop(play)
    of_first = [each for each in stage.sent if each[0] == peer(1)]
    assert len(of_first) == SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX
    assert len(stage.sent) == SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX + 1
    assert stage.reported == [], "asking too much is no lie"


def test_of_all_peers_only_so_many_requests_are_answered_at_a_time() -> None:
    def play(stage: Stage) -> None:
        for number in range(SNAPSHOT_SERVED_REQUESTS_MAX + 5):
            stage.ask(peer(number), GET_STATE)

    assert len(on_loop(play).sent) == SNAPSHOT_SERVED_REQUESTS_MAX


def test_whoever_was_answered_may_ask_again() -> None:
    async def run() -> int:
        stage = Stage()
        for _ in range(3):
            for number in range(SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX):
                stage.ask(peer(1), GET_STATE, number)
            await stage.settle()
        stage.workers.close()
        return len(stage.sent)

    assert asyncio.run(run()) == 3 * SNAPSHOT_SERVED_PER_PEER_REQUESTS_MAX


def test_bytes_that_are_no_message_are_reported_and_cost_no_work() -> None:
    stage = on_loop(lambda stage: stage.router.on_message(peer(1), GET_STATE, b"\x80\x80"))
    assert [who for who, _ in stage.reported] == [peer(1)]
    assert stage.answered == []


@pytest.mark.parametrize("fault", [ValueError("no request"), SnapshotMessageInvalid("no request")], ids=repr)
def test_a_body_that_is_no_request_is_reported(fault: Exception) -> None:
    stage = on_loop(lambda stage: stage.ask(peer(1), GET_STATE), fault)
    assert stage.reported == [(peer(1), "no request")]
    assert stage.sent == []


def test_a_disk_that_fails_is_our_own_trouble() -> None:
    stage = on_loop(lambda stage: stage.ask(peer(1), GET_STATE), StorageFailed("the disk is gone", False))
    assert stage.reported == []
    assert "the disk is gone" in str(stage.telemetry.ready_page())
