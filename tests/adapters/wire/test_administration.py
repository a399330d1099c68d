"""An operator's orders on running networks."""

from __future__ import annotations

import pytest

from coc.adapters.wire.administration import Administration
from coc.adapters.wire.peer_names import PeerNameInvalid
from tests.adapters.wire.stage import CHAIN, HOST, Node, Stage, peer_of, played, until


def desk_of(node: Node) -> Administration:
    return Administration(node.network, (HOST, node.network.port), None, CHAIN.genesis_hash)


def test_a_peer_is_added_shown_removed_and_stays_away() -> None:  # WIRE-39
    async def use(stage: Stage) -> None:
        anna, bert = await stage.node(1), await stage.node(2)
        desk = desk_of(anna)
        assert desk.own().peer == anna.peer
        assert desk.add(f"enode://{bert.network.public_key.hex()}@{bert.address}")
        await until(lambda: anna.is_up(bert))
        (shown,) = desk.connected()
        assert (shown.peer, shown.public_key) == (bert.peer, bert.network.public_key)
        assert (shown.is_dialled, shown.is_trusted, shown.is_configured) == (True, True, True)
        assert not shown.is_over_http

        assert desk.remove(bert.peer.hex())
        await bert.notes.until(lambda: bert.notes.downs == [anna.peer])
        assert not desk.remove(bert.peer.hex())
        anna.network._tick()
        assert anna.network._links == {} or not anna.is_up(bert)

    played(use)


def test_a_banned_peer_leaves_and_comes_back_when_it_is_let_in() -> None:  # WIRE-39
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        bert = await stage.node(2, anna.as_persistent())
        await until(lambda: anna.is_up(bert))
        desk = desk_of(anna)
        assert desk.ban(bert.peer.hex())
        await anna.notes.until(lambda: anna.notes.downs == [bert.peer])
        assert not desk.ban(f"0x{bert.peer.hex()}")
        assert [who for who, _ in desk.bans()] == [bert.peer.hex()]
        assert desk.unban(bert.peer.hex())
        assert not desk.unban(bert.peer.hex())
        await until(lambda: anna.is_up(bert))

    played(use)


def test_names_that_say_too_little_are_refused_with_a_cure() -> None:
    async def use(stage: Stage) -> None:
        anna = await stage.node(1)
        desk = desk_of(anna)
        for order, name in (
            (desk.add, "nobody"),
            (desk.ban, "20.0.0.1:30303"),
            (desk.unban, "node.example:1"),
            (desk.remove, "nobody"),
        ):
            with pytest.raises(PeerNameInvalid) as caught:
                order(name)
            assert caught.value.cure
        assert not desk.unban("20.0.0.1")
        assert not desk.remove(f"{peer_of(5).hex()}@20.0.0.1:1")

    played(use)
