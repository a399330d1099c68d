"""Asking real nodes on loopback sockets for a genesis: honest ones, liars, strangers, and nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from coc._native import Chain
from coc.adapters.validator.genesis_fetch import GenesisNotFetched, fetch_genesis
from coc.adapters.validator.peer_errands import Introduction
from coc.adapters.validator.service import chain_facts
from coc.adapters.wire.network import Network
from coc.adapters.wire.network_setup import NetworkSetup
from coc.execution.genesis import Genesis
from coc.primitives.limits_wire import GENESIS_FETCH_MS_MAX, WIRE_FRAME_BYTES_MAX
from coc.primitives.types import Hash32, PeerId
from coc.sim.full.network import chain_file
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.identity import PeerFacts
from coc.wire.kinds import GENESIS, GET_GENESIS, Kind
from coc.wire.peer_book.rules import PersistentPeer
from tests.adapters.http_gossip.middlemen import ConnectProxy
from tests.adapters.wire.stage import HOST, peer_of, secret

TEXT = chain_file((1, 1, 1, 1)).text
HASH = Hash32(Chain.open(TEXT, None, b"").genesis_hash)
OTHER_TEXT = chain_file((1, 1, 1, 2)).text
OTHER_HASH = Hash32(bytes(32))


class PatientLoop(asyncio.SelectorEventLoop):
    """A loop whose clock the test moves."""

    skipped_s = 0.0

    def time(self) -> float:
        return super().time() + self.skipped_s


@dataclass
class Answering:
    """A node that answers the question for a genesis with this; with nothing if it is None."""

    answer: bytes | None
    asked: int = 0

    def __post_init__(self) -> None:
        setup = NetworkSetup(secret(1), chain_facts(HASH), (HOST, 0), http=(HOST, 0))
        self.network = Network(asyncio.get_running_loop(), setup, self)
        self.heard = asyncio.Event()

    @property
    def place(self) -> PersistentPeer:
        return PersistentPeer(PeerAddress(HOST, self.network.port))

    @property
    def place_over_http(self) -> PersistentPeer:
        return PersistentPeer(PeerAddress(HOST, self.network.http_port, Scheme.HTTP))

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        assert facts.listen_port == 0  # it can be asked nothing, and is in nobody's table

    def on_peer_down(self, peer: PeerId) -> None:
        pass

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        assert kind is GET_GENESIS
        self.asked += 1
        self.heard.set()
        if self.answer is not None:
            self.network.send(peer, GENESIS, self.answer)


def asking(
    answer: bytes | None, use: Callable[[Answering], Awaitable[Genesis]], loop: type = PatientLoop
) -> Genesis:
    """What comes of asking a node that answers so."""

    async def play() -> Genesis:
        node = Answering(answer)
        await node.network.start()
        try:
            return await use(node)
        finally:
            await node.network.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(play())


def refusal(
    answer: bytes | None, use: Callable[[Answering], Awaitable[Genesis]] | None = None
) -> GenesisNotFetched:
    """Why the answer is not taken."""
    with pytest.raises(GenesisNotFetched) as caught:
        asking(answer, use or (lambda node: fetch_genesis(node.place, HASH)))
    assert caught.value.cure
    return caught.value


def test_the_genesis_with_the_hash_is_taken() -> None:  # WIRE-37
    found = asking(TEXT, lambda node: fetch_genesis(node.place, HASH))

    assert found.text == TEXT
    assert found.coc is not None


def test_it_is_given_over_http_too() -> None:  # WIRE-37, HTTP-1
    assert asking(TEXT, lambda node: fetch_genesis(node.place_over_http, HASH)).text == TEXT


def test_it_comes_through_a_forward_proxy_too() -> None:  # WIRE-37, HTTP-13
    proxy = ConnectProxy()

    async def use(node: Answering) -> Genesis:
        async with proxy as way:
            return await fetch_genesis(node.place_over_http, HASH, (way.host, way.port))

    assert asking(TEXT, use).text == TEXT
    assert proxy.asked


@pytest.mark.parametrize("answer", [OTHER_TEXT, TEXT[:-2], b"{}", b"\xff" * 99])
def test_another_genesis_than_the_hash_names_is_a_lie(answer: bytes) -> None:  # WIRE-37
    told = refusal(answer)

    assert told.what.endswith("gave another genesis than it was asked for")
    assert told.why


def test_a_genesis_stripped_of_the_rules_that_its_hash_stands_for_is_a_lie() -> None:  # WIRE-37
    stripped = json.loads(TEXT)
    del stripped["config"]["coc"]
    stripped["config"]["chainId"] += 1
    text = json.dumps(stripped).encode()
    assert Chain.open(text, None, b"").genesis_hash == HASH

    assert refusal(text).why == "it lacks the rules of a network of validators"


def test_a_node_of_another_chain_is_told_from_a_liar() -> None:
    told = refusal(TEXT, lambda node: fetch_genesis(node.place, OTHER_HASH))

    assert told.what.endswith("is on another chain than --genesis-hash names")
    assert HASH.hex() in told.why


def test_somebody_else_than_the_id_names_is_not_asked() -> None:
    told = refusal(
        TEXT,
        lambda node: fetch_genesis(PersistentPeer(node.place.address, peer_of(2)), HASH),
    )

    assert told.what.startswith("another node answers")


def test_a_place_where_nobody_listens_is_named() -> None:
    async def after_it_left(node: Answering) -> Genesis:
        place = node.place
        await node.network.close()
        return await fetch_genesis(place, HASH)

    assert refusal(TEXT, after_it_left).what.startswith(f"no node answers at {HOST}:")


def test_a_node_that_does_not_answer_in_time_is_left() -> None:
    async def waiting(node: Answering) -> Genesis:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PatientLoop)
        asked = asyncio.ensure_future(fetch_genesis(node.place, HASH))
        await node.heard.wait()
        # Not one big step: the sessions would part first, as after a night's sleep.
        loop.skipped_s = (GENESIS_FETCH_MS_MAX - 60_000) / 1000
        assert not asked.done()
        loop.skipped_s = (GENESIS_FETCH_MS_MAX + 1_000) / 1000
        return await asked

    assert "did not give the genesis" in refusal(None, waiting).what


def test_a_genesis_longer_than_a_message_is_not_sent_and_the_asker_is_told() -> None:  # WIRE-37
    at = Introduction(bytes(WIRE_FRAME_BYTES_MAX), HASH, secret(1))
    above = Introduction(bytes(WIRE_FRAME_BYTES_MAX + 1), HASH, secret(1))

    assert (len(at.genesis_message), above.genesis_message) == (WIRE_FRAME_BYTES_MAX, b"")
    assert "too long" in refusal(above.genesis_message).what
