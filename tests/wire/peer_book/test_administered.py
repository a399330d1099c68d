"""What an operator says of peers while the node runs."""

from __future__ import annotations

from coc.primitives.limits_wire import BAN_MS_MAX, PEERS_CONFIGURED_MAX, PEERS_INBOUND_MAX
from coc.primitives.types import Millis
from coc.wire.addresses import owner_of
from coc.wire.errors import Reason
from coc.wire.peer_book import effects as fx
from coc.wire.peer_book import inputs as ev
from coc.wire.peer_book.rules import PersistentPeer
from tests.wire.peer_book.playbook import LARGER, SMALLER, Playbook, peer, public


def test_a_peer_that_is_added_is_dialled_for_ever_and_must_be_who_was_named() -> None:  # WIRE-39
    stage = Playbook()
    stage.feed(ev.PeerAdded(public(1), LARGER))
    (dial,) = stage.dials()
    assert (dial.address, dial.expected) == (public(1), LARGER)
    for _ in range(30):
        stage.end(dial.connection)
        (dial,) = stage.dials(30_000)


def test_a_learned_address_becomes_a_configured_one() -> None:  # WIRE-39
    stage = Playbook()
    stage.learn(public(1))
    stage.feed(ev.PeerAdded(public(1)))
    stage.feed(ev.PeerAdded(public(1), LARGER))
    (known,) = stage.book.known()
    assert (known.is_persistent, known.expected) == (True, LARGER)
    assert stage.restarted().known() == set()


def test_so_many_peers_are_configured_and_no_more() -> None:  # WIRE-39
    stage = Playbook()
    for number in range(PEERS_CONFIGURED_MAX + 1):
        stage.feed(ev.PeerAdded(public(number)))
    assert len(stage.known()) == PEERS_CONFIGURED_MAX
    assert public(PEERS_CONFIGURED_MAX) not in stage.known()


def test_a_peer_that_is_removed_is_parted_from_and_not_dialled_again() -> None:  # WIRE-39
    for is_named in (True, False):
        stage = Playbook([PersistentPeer(public(1)), PersistentPeer(public(2))])
        one, other = stage.dials()
        connection = stage.go_out(one, LARGER)
        stage.go_out(other, SMALLER)
        named = ev.PeerRemoved(LARGER, None) if is_named else ev.PeerRemoved(None, one.address)
        assert stage.feed(named) == [fx.Leave(connection, Reason.DISMISSED)]
        stage.end(connection, Reason.DISMISSED)
        assert stage.known() == {other.address}
        assert stage.dials(60_000) == []


def test_a_peer_that_dialled_us_is_parted_from_by_the_address_it_listens_at() -> None:  # WIRE-39
    stage = Playbook()
    connection = stage.come_in(LARGER, public(1).host, public(1).port)
    assert stage.feed(ev.PeerRemoved(None, public(1))) == [fx.Leave(connection, Reason.DISMISSED)]


def test_a_peer_that_is_banned_leaves_and_stays_out_for_a_day_and_its_neighbours_do_not() -> None:  # WIRE-39
    stage = Playbook()
    connection = stage.come_in(LARGER, "20.1.0.1")
    until_ms = Millis(stage.now_ms + BAN_MS_MAX)
    assert stage.feed(ev.PeerBanned(LARGER)) == [
        fx.Banned(LARGER.hex(), until_ms),
        fx.Leave(connection, Reason.BANNED),
    ]
    stage.end(connection, Reason.BANNED)
    assert stage.book.bans(Millis(stage.now_ms)) == ((LARGER, until_ms),)
    again = stage.offer("20.1.0.1")
    assert again is not None
    assert stage.prove(again, LARGER, "20.1.0.1") == [fx.Leave(again, Reason.BANNED)]
    stage.end(again, Reason.BANNED)
    stage.come_in(SMALLER, "20.1.0.1")
    assert stage.feed(ev.PeerBanned(LARGER)) == []


def test_a_ban_that_is_lifted_lets_the_peer_and_its_address_in() -> None:  # WIRE-39
    stage = Playbook()
    connection = stage.come_in(LARGER, public(1).host, public(1).port)
    stage.feed(ev.PeerReported(LARGER, 100))
    stage.end(connection, Reason.BANNED)
    assert len(stage.book.bans(Millis(stage.now_ms))) == 2
    stage.feed(ev.BanLifted(LARGER))
    assert stage.book.bans(Millis(stage.now_ms)) == ()
    stage.come_in(LARGER, public(1).host)

    stage.feed(ev.PeerReported(peer(9), 100))
    stage.feed(ev.AddressReported("20.9.0.1", 100))
    for _ in range(3):
        stage.feed(ev.AddressReported("20.9.0.1", 100))
    stage.feed(ev.BanLifted(owner_of("20.9.0.1")))
    assert [subject for subject, _ in stage.book.bans(Millis(stage.now_ms))] == [peer(9)]


def test_a_peer_that_is_added_comes_in_although_the_share_is_full() -> None:  # WIRE-26, WIRE-39
    stage = Playbook()
    for number in range(PEERS_INBOUND_MAX):
        stage.come_in(peer(number), public(number).host)
    stage.feed(ev.PeerAdded(public(500), LARGER))
    assert stage.book.is_privileged(LARGER)
    stage.come_in(LARGER, public(500).host)
