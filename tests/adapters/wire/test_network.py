"""Networks that meet on real sockets."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from coc.adapters.wire.network import Network
from coc.adapters.wire.network_setup import NetworkSetup
from coc.primitives.limits_wire import (
    ADDRESSES_ASK_MS,
    DIAL_BACKOFF_MS_MAX,
    PEER_STORE_SAVE_MS,
    WIRE_FRAME_BYTES_MAX,
    WIRE_KERNEL_BYTES_MAX,
    WIRE_UNSENT_BYTES_MAX,
)
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.identity import PeerFacts, Roles
from coc.wire.kinds import ANNOUNCE_TRANSACTIONS, BLOCK, CONSENSUS, DHT
from tests.adapters.wire.stage import (
    CHAIN,
    HOST,
    OTHER_CHAIN,
    Node,
    Notes,
    Stage,
    pass_time,
    peer_of,
    played,
    secret,
    until,
)


def test_two_nodes_meet_and_talk() -> None:  # WIRE-4, WIRE-6
    async def use(stage: Stage) -> None:
        anna = await stage.node(1, roles=Roles.VALIDATOR)
        bert = await stage.node(2, anna.as_persistent())
        await anna.notes.until(lambda: anna.is_up(bert))
        await bert.notes.until(lambda: bert.is_up(anna))
        facts = anna.notes.facts[peer_of(2)]
        assert (facts.host, facts.listen_port, facts.is_dialled) == (HOST, bert.network.port, False)
        assert bert.notes.facts[anna.peer].is_dialled
        assert bert.notes.facts[anna.peer].roles is Roles.VALIDATOR

        assert anna.network.send(bert.peer, CONSENSUS, b"vote")
        assert bert.network.broadcast(BLOCK, bytes(1_000_000)) == 1
        await bert.notes.until(lambda: bool(bert.notes.messages))
        await anna.notes.until(lambda: bool(anna.notes.messages))
        assert bert.notes.messages == [(anna.peer, "CONSENSUS", b"vote")]
        assert anna.notes.messages == [(bert.peer, "BLOCK", bytes(1_000_000))]

    played(use)


def test_a_vote_arrives_before_the_blocks_that_were_sent_before_it() -> None:  # WIRE-8
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent())
        await anna.notes.until(lambda: anna.is_up(bert))
        await bert.notes.until(lambda: bert.is_up(anna))
        block = bytes(WIRE_FRAME_BYTES_MAX)
        assert anna.network.send(bert.peer, BLOCK, block)
        assert anna.network.send(bert.peer, BLOCK, block)
        assert not anna.network.send(bert.peer, BLOCK, block)
        assert anna.network.send(bert.peer, CONSENSUS, b"vote")
        await bert.notes.until(lambda: len(bert.notes.messages) == 3)

        assert [name for _, name, _ in bert.notes.messages] == ["CONSENSUS", "BLOCK", "BLOCK"]
        assert all(payload == block for _, name, payload in bert.notes.messages if name == "BLOCK")
        await until(lambda: anna.network._traffic.waiting_bytes == 0)
        assert anna.network.send(bert.peer, BLOCK, b"there is room again")

    played(use)


def test_the_kernel_is_asked_to_hold_little_and_to_send_at_once() -> None:  # WIRE-8
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent())
        await anna.notes.until(lambda: anna.is_up(bert))
        for node in (anna, bert):
            (link,) = node.network._links.values()
            assert link._transport is not None
            sock = link._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            # Linux counts its own overhead and says twice what was asked for.
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * WIRE_KERNEL_BYTES_MAX
            unsent = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
            assert unsent == WIRE_UNSENT_BYTES_MAX

    played(use)


def test_a_message_for_somebody_unknown_is_not_taken() -> None:
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        assert not anna.network.send(peer_of(2), CONSENSUS, b"vote")
        assert anna.network.broadcast(CONSENSUS, b"vote") == 0

    played(use)


def test_two_nodes_that_dial_each_other_keep_one_connection() -> None:  # WIRE-24
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent())
        anna.network.dial(bert.address, bert.peer, lambda: None)
        await until(lambda: anna.is_up(bert) and bert.is_up(anna))
        await until(lambda: len(anna.network._links) == len(bert.network._links) == 1)

        (seen_by_anna,) = anna.network.peers()
        (seen_by_bert,) = bert.network.peers()
        assert seen_by_anna.is_dialled is not seen_by_bert.is_dialled
        assert anna.network.send(bert.peer, CONSENSUS, b"one")
        await bert.notes.until(lambda: bool(bert.notes.messages))

    played(use)


def test_a_node_that_comes_back_is_found_again() -> None:  # WIRE-21, WIRE-22
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent())
        await bert.notes.until(lambda: bert.is_up(anna))
        await anna.network.close()
        await bert.notes.until(lambda: bert.notes.downs == [anna.peer])
        assert bert.network.peers() == ()

        again = await stage.node(1, listen=(HOST, anna.network.port))
        pass_time(bert, DIAL_BACKOFF_MS_MAX)
        await again.notes.until(lambda: again.is_up(bert))
        await bert.notes.until(lambda: bert.notes.ups == [anna.peer, anna.peer])

    played(use)


def test_a_node_finds_others_by_asking_whom_it_dialled() -> None:  # WIRE-27
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent())
        await anna.notes.until(lambda: anna.is_up(bert))
        carl = await stage.node(3, anna.as_persistent())
        await carl.notes.until(lambda: carl.is_up(anna, bert))

        dora = await stage.node(4)
        dora.network.found(carl.address, None)
        await dora.notes.until(lambda: dora.is_up(anna, bert, carl))
        pass_time(dora, ADDRESSES_ASK_MS)

    played(use)


def test_a_node_that_hears_of_itself_does_not_keep_itself_company() -> None:  # WIRE-7, WIRE-21
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        anna.network.found(anna.address, None)
        assert [known.address for known in anna.network._book.known()] == [anna.address]
        await until(lambda: not anna.network._book.known())
        await until(lambda: not anna.network._links)

        assert anna.network.peers() == ()
        assert anna.notes.ups == []

    played(use)


def test_nodes_of_two_chains_never_hear_of_each_other() -> None:  # WIRE-7
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, chain=OTHER_CHAIN)
        bert.network.found(anna.address, None)
        await until(lambda: not bert.network._book.known())

        assert anna.notes.ups == bert.notes.ups == []

    played(use)


def test_somebody_else_at_a_peers_address_is_not_taken_for_it() -> None:  # WIRE-7
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        failed = asyncio.Event()
        bert = await stage.node(2)
        bert.network.dial(anna.address, peer_of(77), failed.set)
        await failed.wait()

        assert bert.notes.ups == []
        await until(lambda: not anna.network._links)
        assert anna.notes.ups == []

    played(use)


def test_a_wish_for_a_node_is_granted_or_answered() -> None:  # WIRE-23
    async def use(stage: Stage) -> None:
        anna, bert, carl = await stage.node(1), await stage.node(2), await stage.node(3)
        failures: list[str] = []
        anna.network.dial(bert.address, bert.peer, lambda: failures.append("bert"))
        anna.network.dial(bert.address, None, lambda: failures.append("anybody"))
        await anna.notes.until(lambda: anna.is_up(bert))
        await carl.network.close()
        failed = asyncio.Event()
        anna.network.dial(carl.address, carl.peer, failed.set)
        await failed.wait()
        anna.network.dial(bert.address, bert.peer, lambda: failures.append("bert again"))

        nowhere = asyncio.Event()
        anna.network.dial(PeerAddress("no such name." * 30, 1), None, nowhere.set)
        await nowhere.wait()
        assert failures == []
        assert anna.network._wishes._calls == {}

    played(use)


def test_a_reported_peer_is_parted_from_and_stays_out() -> None:  # WIRE-28
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent())
        await anna.notes.until(lambda: anna.is_up(bert))
        anna.network.misbehaved(bert.peer, "it lied")
        assert anna.is_up(bert)
        anna.network.misbehaved(bert.peer, "it lied again")
        await bert.notes.until(lambda: bert.notes.downs == [anna.peer])
        assert anna.notes.downs == [bert.peer]
        pass_time(bert, DIAL_BACKOFF_MS_MAX)
        await until(lambda: bool(bert.network._links))
        await until(lambda: not bert.network._links)

        assert len(anna.notes.ups) == 1

    played(use)


class Clumsy(Notes):
    """A router that fails at everything."""

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        super().on_peer_up(peer, facts)
        raise ValueError("a defect")

    def on_message(self, peer: PeerId, kind: object, payload: bytes) -> None:
        self.messages.append((peer, str(kind), payload))
        self.changed.set()
        raise ValueError("another")


def test_a_defect_of_a_layer_costs_no_peer_its_connection() -> None:
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        clumsy = Clumsy()
        anna.network._router = anna.notes = clumsy
        bert = await stage.node(2, anna.as_persistent())
        await anna.notes.until(lambda: anna.is_up(bert))
        await bert.notes.until(lambda: bert.is_up(anna))
        for _ in range(3):
            bert.network.send(anna.peer, DHT, b"question")
        await clumsy.until(lambda: len(clumsy.messages) == 3)

        assert anna.is_up(bert)

    played(use)


def test_messages_sent_from_inside_the_router_arrive() -> None:
    class Echo(Notes):
        network: Network

        def on_message(self, peer: PeerId, kind: object, payload: bytes) -> None:
            self.network.send(peer, ANNOUNCE_TRANSACTIONS, payload)

        def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
            super().on_peer_up(peer, facts)
            self.network.send(peer, CONSENSUS, b"hello")

    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        echo = Echo()
        echo.network = anna.network
        anna.network._router = anna.notes = echo
        bert = await stage.node(2, anna.as_persistent())
        await bert.notes.until(lambda: bert.is_up(anna))
        for number in range(100):
            assert bert.network.send(anna.peer, DHT, bytes((number,)))
        await bert.notes.until(lambda: len(bert.notes.messages) == 101)

        assert bert.notes.messages[0] == (anna.peer, "CONSENSUS", b"hello")
        assert [payload[0] for _, _, payload in bert.notes.messages[1:]] == list(range(100))

    played(use)


def test_what_a_node_knows_survives_its_restart(tmp_path: Path) -> None:  # WIRE-30
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, folder=tmp_path)
        bert.network.found(anna.address, anna.peer)
        await bert.notes.until(lambda: bert.is_up(anna))
        pass_time(bert, PEER_STORE_SAVE_MS)
        await until((tmp_path / "peers").is_file)
        await bert.network.close()
        again = await stage.node(2, folder=tmp_path)
        await again.notes.until(lambda: again.is_up(anna))
        (tmp_path / "peers").unlink()

    played(use)


def test_many_nodes_that_all_dial_each_other_end_up_with_one_connection_each() -> None:  # WIRE-24, WIRE-26
    async def use(stage: Stage) -> None:
        nodes = [await stage.node(number) for number in range(1, 8)]
        for node in nodes:
            for other in nodes:
                if other is not node:
                    node.network.dial(other.address, other.peer, lambda: None)
        await until(lambda: all(node.is_up(*others_of(nodes, node)) for node in nodes))
        await until(lambda: all(len(node.network._links) == len(nodes) - 1 for node in nodes))

        assert nodes[0].network.broadcast(CONSENSUS, b"vote") == len(nodes) - 1
        await until(lambda: all(node.notes.messages for node in nodes[1:]))

    played(use)


def others_of(nodes: list[Node], node: Node) -> list[Node]:
    return [other for other in nodes if other is not node]


def test_a_node_can_be_closed_before_it_was_started_and_twice() -> None:
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        await anna.network.close()
        await anna.network.close()
        setup = NetworkSetup(secret(9), CHAIN, (HOST, 0), (anna.as_persistent(),))
        await Network(asyncio.get_running_loop(), setup, Notes()).close()

    played(use)


def test_the_port_that_a_node_advertises_is_the_one_that_peers_are_told() -> None:  # WIRE-4
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent(), advertised_port=40_404)
        await anna.notes.until(lambda: anna.is_up(bert))
        assert anna.notes.facts[bert.peer].listen_port == 40_404

    played(use)
