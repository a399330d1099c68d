"""A name that stands for many nodes leads to all of them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from coc.adapters.wire.names import Names
from coc.primitives.limits_wire import NAME_ADDRESSES_MAX, NAME_RESOLVED_MS
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.peer_book.rules import PersistentPeer

PORT = 30_303
SEED = PersistentPeer(PeerAddress("seed.example", PORT))


class KnowingLoop(asyncio.SelectorEventLoop):
    """A loop whose resolver knows one name, and counts the questions."""

    def __init__(self, *hosts: str) -> None:
        super().__init__()
        self.hosts = hosts
        self.asked: list[str] = []

    async def getaddrinfo(  # type: ignore[override]
        self, host: str, port: int, **_: object
    ) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        self.asked.append(host)
        if host != SEED.address.host:
            raise OSError("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in self.hosts]


def learned(
    loop: KnowingLoop, *persistent: PersistentPeer, ticks_ms: Sequence[int] = (0,)
) -> list[PeerAddress]:
    found: list[PeerAddress] = []

    async def use() -> None:
        names = Names(loop, persistent, found.append)
        for tick_ms in ticks_ms:
            names.tick(tick_ms)
            for _ in range(5):
                await asyncio.sleep(0)
        await names.close()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(use())
    return found


def test_every_address_of_a_name_is_learned_once() -> None:  # WIRE-38
    loop = KnowingLoop("20.0.0.1", "20.1.0.1", "20.0.0.1", "::ffff:20.2.0.1", "224.0.0.1")
    hosts = [address.host for address in learned(loop, SEED)]
    assert hosts == ["20.0.0.1", "20.1.0.1", "20.2.0.1"]


def test_a_name_gives_so_many_and_no_more() -> None:  # WIRE-38
    loop = KnowingLoop(*(f"20.{number}.0.1" for number in range(NAME_ADDRESSES_MAX + 1)))
    assert len(learned(loop, SEED)) == NAME_ADDRESSES_MAX


def test_names_are_looked_at_again_after_a_while() -> None:  # WIRE-38
    loop = KnowingLoop("20.0.0.1", "20.1.0.1")
    learned(loop, SEED, ticks_ms=(0, NAME_RESOLVED_MS - 1, NAME_RESOLVED_MS))
    assert loop.asked == ["seed.example"] * 2


def test_a_name_for_one_node_an_address_and_a_name_nobody_knows_teach_nothing() -> None:  # WIRE-38
    loop = KnowingLoop("20.0.0.1")
    unknown = PersistentPeer(PeerAddress("nowhere.example", PORT))
    address = PersistentPeer(PeerAddress("20.0.0.9", PORT))
    assert learned(loop, SEED, unknown, address) == []
    assert loop.asked == ["seed.example", "nowhere.example"]


def test_a_name_with_an_identity_or_over_http_is_left_to_the_dial() -> None:  # WIRE-38
    loop = KnowingLoop("20.0.0.1", "20.1.0.1")
    expected = PersistentPeer(SEED.address, PeerId(b"p" * 32))
    over_http = PersistentPeer(PeerAddress(SEED.address.host, PORT, Scheme.HTTP))
    assert learned(loop, expected, over_http) == []
    assert loop.asked == []
