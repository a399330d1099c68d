"""Nodes that meet over HTTP: the same messages, one router, one peer book."""

from __future__ import annotations

from coc.primitives.limits_http_gossip import HTTP_GOSSIP_STREAM_BYTES_MAX
from coc.primitives.limits_wire import WIRE_FRAME_BYTES_MAX
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.kinds import BLOCK, CONSENSUS
from coc.wire.peer_book.rules import PersistentPeer
from tests.adapters.wire.stage import HOST, Node, Stage, played, until


def over_http(node: Node) -> PersistentPeer:
    return PersistentPeer(PeerAddress(HOST, node.network.http_port, Scheme.HTTP), node.peer)


async def pair(stage: Stage) -> tuple[Node, Node]:
    anna = await stage.node(1, http=(HOST, 0))
    bert = await stage.node(2, over_http(anna))
    await anna.notes.until(lambda: anna.is_up(bert))
    await bert.notes.until(lambda: bert.is_up(anna))
    return anna, bert


def test_two_nodes_meet_over_http_and_talk() -> None:  # HTTP-1
    async def use(stage: Stage) -> None:
        anna, bert = await pair(stage)
        assert bert.notes.facts[anna.peer].is_dialled
        assert not anna.notes.facts[bert.peer].is_dialled

        assert anna.network.send(bert.peer, CONSENSUS, b"vote")
        assert bert.network.send(anna.peer, CONSENSUS, b"vote too")
        assert bert.network.broadcast(BLOCK, bytes(1_000_000)) == 1
        await bert.notes.until(lambda: bool(bert.notes.messages))
        await anna.notes.until(lambda: len(anna.notes.messages) == 2)
        assert bert.notes.messages == [(anna.peer, "CONSENSUS", b"vote")]
        assert anna.notes.messages[0] == (bert.peer, "CONSENSUS", b"vote too")
        assert anna.notes.messages[1] == (bert.peer, "BLOCK", bytes(1_000_000))

    played(use)


def test_a_vote_overtakes_blocks_over_http_too() -> None:  # HTTP-1, WIRE-8
    async def use(stage: Stage) -> None:
        anna, bert = await pair(stage)
        block = bytes(WIRE_FRAME_BYTES_MAX)
        assert len(block) > HTTP_GOSSIP_STREAM_BYTES_MAX
        for one, other in ((anna, bert), (bert, anna)):
            assert one.network.send(other.peer, BLOCK, block)
            assert one.network.send(other.peer, BLOCK, block)
            assert not one.network.send(other.peer, BLOCK, block)
            assert one.network.send(other.peer, CONSENSUS, b"vote")
            await other.notes.until(lambda other=other: len(other.notes.messages) == 3)  # type: ignore[misc]  # bound at once
            assert [name for _, name, _ in other.notes.messages] == ["CONSENSUS", "BLOCK", "BLOCK"]

    played(use)


def test_who_leaves_says_so_over_http_and_is_dialled_again() -> None:  # HTTP-1, WIRE-17
    async def use(stage: Stage) -> None:
        anna, bert = await pair(stage)
        await bert.network.close()
        await anna.notes.until(lambda: anna.notes.downs == [bert.peer])
        await until(lambda: not anna.network._links)

        again = await stage.node(2, over_http(anna))
        await again.notes.until(lambda: again.is_up(anna))
        await anna.network.close()
        await again.notes.until(lambda: again.notes.downs == [anna.peer])

    played(use)
