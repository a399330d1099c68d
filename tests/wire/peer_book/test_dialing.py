"""Whom the book dials, when again, and when no more."""

from __future__ import annotations

import pytest

from coc.primitives.limits_wire import (
    DIAL_BACKOFF_MS_MAX,
    DIAL_BACKOFF_MS_MIN,
    DIAL_FAILURES_MAX,
    DIAL_STABLE_MS,
    DIALS_MAX,
    ERRAND_MS,
    ERRANDS_MAX,
    PEERS_OUTBOUND_MAX,
    PEERS_OUTBOUND_PER_NETWORK_MAX,
)
from coc.wire.addresses import PeerAddress
from coc.wire.errors import Reason
from coc.wire.peer_book import effects as fx
from coc.wire.peer_book import inputs as ev
from coc.wire.peer_book.known import backoff_ms
from coc.wire.peer_book.rules import PersistentPeer
from tests.wire.peer_book.playbook import OWN, SMALLER, Playbook, of_kind, peer, public

NEIGHBOUR = PersistentPeer(PeerAddress("10.0.0.2", 19_781), peer(2))
ANYBODY = PersistentPeer(PeerAddress("node3", 19_781))


def test_back_off_doubles_from_one_second_to_thirty() -> None:  # WIRE-22
    assert [backoff_ms(failures) for failures in range(1, 8)] == [
        DIAL_BACKOFF_MS_MIN,
        2_000,
        4_000,
        8_000,
        16_000,
        DIAL_BACKOFF_MS_MAX,
        DIAL_BACKOFF_MS_MAX,
    ]
    assert backoff_ms(10**6) == DIAL_BACKOFF_MS_MAX


def test_configured_peers_are_dialled_at_once_and_whom_to_expect_is_said() -> None:  # WIRE-21
    stage = Playbook([NEIGHBOUR, ANYBODY])
    dials = stage.dials()

    assert {(dial.address, dial.expected) for dial in dials} == {
        (NEIGHBOUR.address, NEIGHBOUR.peer),
        (ANYBODY.address, None),
    }
    assert stage.dials() == []


def test_a_configured_peer_is_tried_for_ever_and_ever_more_slowly() -> None:  # WIRE-21, WIRE-22
    stage = Playbook([NEIGHBOUR])
    waits: list[int] = []
    for _ in range(5 * DIAL_FAILURES_MAX):
        waits.append(0)
        while not (dials := stage.dials()):
            stage.now_ms += 1_000
            waits[-1] += 1_000
        stage.end(dials[0].connection)

    assert waits == [0, *(backoff_ms(failures) for failures in range(1, len(waits)))]


def test_a_learned_address_is_forgotten_after_failing_in_a_row() -> None:  # WIRE-21
    stage = Playbook()
    stage.come_in(peer(9), "20.9.0.1")
    stage.learn(public(1))
    dialled = 0
    for _ in range(2 * DIAL_FAILURES_MAX):
        for dial in stage.dials(DIAL_BACKOFF_MS_MAX):
            dialled += 1
            stage.end(dial.connection)

    assert dialled == DIAL_FAILURES_MAX
    assert stage.known() == set()


def test_a_node_that_is_cut_off_forgets_nobody() -> None:  # WIRE-21
    stage = Playbook(seeds=[public(1)])
    for _ in range(3 * DIAL_FAILURES_MAX):
        (dial,) = stage.dials(DIAL_BACKOFF_MS_MAX)
        stage.end(dial.connection)
    (dial,) = stage.dials(DIAL_BACKOFF_MS_MAX)
    stage.come_in(peer(9), "20.9.0.1")
    stage.end(stage.go_out(dial, peer(1)))

    assert [dial.address for dial in stage.dials(DIAL_BACKOFF_MS_MAX)] == [public(1)]


def test_a_connection_that_lasted_is_redialled_after_a_second() -> None:  # WIRE-22
    stage = Playbook([NEIGHBOUR])
    for _ in range(4):
        (dial,) = stage.dials(DIAL_BACKOFF_MS_MAX)
        stage.end(dial.connection)
    (dial,) = stage.dials(DIAL_BACKOFF_MS_MAX)
    connection = stage.go_out(dial, peer(2))
    stage.now_ms += DIAL_STABLE_MS
    stage.end(connection)

    assert stage.dials(DIAL_BACKOFF_MS_MIN - 1) == []
    assert len(stage.dials(1)) == 1


def test_a_peer_that_takes_us_in_and_drops_us_is_backed_off_from() -> None:  # WIRE-22
    stage = Playbook([NEIGHBOUR])
    waits: list[int] = []
    for _ in range(7):
        waited_ms = 0
        while not (dials := stage.dials()):
            stage.now_ms += 1_000
            waited_ms += 1_000
        waits.append(waited_ms)
        connection = stage.go_out(dials[0], peer(2))
        stage.now_ms += DIAL_STABLE_MS // 100
        stage.end(connection)

    assert waits == [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]


def test_no_more_dials_than_may_be_under_way() -> None:  # WIRE-21
    stage = Playbook()
    stage.learn(*(public(number) for number in range(20)))
    first = stage.dials()
    assert len(first) == DIALS_MAX
    assert stage.dials() == []
    stage.end(first[0].connection)

    assert len(stage.dials()) == 1


def test_learned_peers_fill_the_outbound_share_and_no_more() -> None:  # WIRE-26
    stage = Playbook([NEIGHBOUR])
    stage.learn(*(public(number) for number in range(60)))
    taken = 0
    while dials := stage.dials():
        for dial in dials:
            taken += 1
            stage.go_out(dial, peer(2) if dial.address == NEIGHBOUR.address else peer(100 + taken))

    assert taken == PEERS_OUTBOUND_MAX + 1


def test_one_network_gets_few_of_the_outbound_places() -> None:  # WIRE-26
    stage = Playbook()
    stage.learn(*(PeerAddress(f"20.7.{number}.1", 1) for number in range(20)), public(900))
    taken: list[PeerAddress] = []
    while dials := stage.dials():
        for dial in dials:
            taken.append(dial.address)
            stage.go_out(dial, peer(100 + len(taken)))

    assert len(taken) == PEERS_OUTBOUND_PER_NETWORK_MAX + 1
    assert public(900) in taken


def test_on_a_development_chain_loopback_counts_towards_no_network() -> None:  # WIRE-26
    stage = Playbook(is_development=True)
    stage.learn(*(PeerAddress("127.0.0.1", port) for port in range(1_000, 1_010)))

    assert len(stage.dials()) == DIALS_MAX


def test_whoever_is_connected_is_not_dialled_again() -> None:
    stage = Playbook([NEIGHBOUR])
    stage.come_in(peer(2), "10.0.0.2", port=19_781)

    assert stage.dials() == []


def test_a_peer_found_behind_an_address_is_not_dialled_while_it_is_connected() -> None:  # WIRE-24
    stage = Playbook([ANYBODY])
    inbound = stage.come_in(SMALLER, "10.0.0.3")
    (dial,) = stage.dials()
    effects = stage.prove(dial.connection, SMALLER, "10.0.0.3")
    assert of_kind(effects, fx.Leave) == [fx.Leave(dial.connection, Reason.DUPLICATE)]
    stage.end(dial.connection, Reason.DUPLICATE)

    assert stage.dials(10 * DIAL_BACKOFF_MS_MAX) == []
    stage.end(inbound)
    assert len(stage.dials()) == 1


@pytest.mark.parametrize(
    "reason",
    [
        Reason.UNEXPECTED_IDENTITY,
        Reason.OTHER_GENESIS,
        Reason.OTHER_VERSION,
        Reason.OTHER_FORKS,
        Reason.IDENTITY_NOT_PROVEN,
    ],
)
def test_a_learned_address_of_a_stranger_is_forgotten_at_once(reason: Reason) -> None:  # WIRE-21
    stage = Playbook([NEIGHBOUR])
    stage.learn(public(1))
    for dial in stage.dials():
        stage.end(dial.connection, reason, is_peers_fault=True)

    assert stage.known() == {NEIGHBOUR.address}
    assert [dial.address for dial in stage.dials(DIAL_BACKOFF_MS_MIN)] == [NEIGHBOUR.address]


def test_our_own_address_is_never_dialled_again() -> None:  # WIRE-21
    own = PersistentPeer(PeerAddress("10.0.0.1", 19_781))
    stage = Playbook([own])
    (dial,) = stage.dials()
    stage.end(dial.connection, Reason.OWN_IDENTITY, is_peers_fault=True)
    stage.learn(own.address)

    assert stage.dials(10**9) == []
    assert stage.feed(ev.DialWanted(own.address, None)) == [fx.DialGivenUp(own.address, None)]


def test_those_that_worked_lately_are_dialled_before_hearsay() -> None:
    stage = Playbook()
    stage.learn(public(1))
    (dial,) = stage.dials()
    connection = stage.go_out(dial, peer(1))
    stage.now_ms += DIAL_STABLE_MS
    stage.learn(*(public(number) for number in range(2, 30)))
    stage.end(connection)
    again = stage.restarted()

    assert again.dials()[0].address == public(1)


# ── Errands ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wanted_node_is_dialled_beside_a_full_share_and_let_go_when_it_is_answered() -> None:  # WIRE-23
    stage = Playbook()
    stage.learn(*(public(number) for number in range(40)))
    while dials := stage.dials():
        for dial in dials:
            stage.go_out(dial, peer(dial.connection))
    (dial,) = of_kind(stage.feed(ev.DialWanted(public(500), peer(500))), fx.Dial)
    assert dial.expected == peer(500)
    connection = stage.go_out(dial, peer(500))

    assert of_kind(stage.tick(ERRAND_MS - 1), fx.Leave) == []
    assert of_kind(stage.tick(1), fx.Leave) == [fx.Leave(connection, Reason.NOT_NEEDED)]
    assert stage.end(connection, Reason.NOT_NEEDED) == []


def test_a_wanted_validator_stays_although_the_share_is_full_as_long_as_it_is_one() -> None:  # WIRE-23
    stage = Playbook()
    stage.learn(*(public(number) for number in range(40)))
    while dials := stage.dials():
        for dial in dials:
            stage.go_out(dial, peer(dial.connection))
    stage.feed(ev.PrivilegedChanged(frozenset((peer(500),))))
    (dial,) = of_kind(stage.feed(ev.DialWanted(public(500), peer(500))), fx.Dial)
    connection = stage.go_out(dial, peer(500))
    assert of_kind(stage.tick(2 * ERRAND_MS), fx.Leave) == []

    stage.feed(ev.PrivilegedChanged(frozenset()))
    assert of_kind(stage.tick(ERRAND_MS), fx.Leave) == [fx.Leave(connection, Reason.NOT_NEEDED)]


def test_a_wanted_node_stays_where_there_is_room() -> None:  # WIRE-23
    stage = Playbook()
    (dial,) = of_kind(stage.feed(ev.DialWanted(public(5), peer(5))), fx.Dial)
    stage.go_out(dial, peer(5))

    assert of_kind(stage.tick(10 * ERRAND_MS), fx.Leave) == []


def test_a_wish_that_fails_is_answered() -> None:  # WIRE-23
    stage = Playbook()
    (dial,) = of_kind(stage.feed(ev.DialWanted(public(5), peer(5))), fx.Dial)
    assert stage.feed(ev.DialWanted(public(5), None)) == []

    assert stage.end(dial.connection, Reason.UNEXPECTED_IDENTITY) == [
        fx.DialGivenUp(public(5), peer(5)),
        fx.DialGivenUp(public(5), None),
    ]


def test_a_wish_for_somebody_connected_needs_no_dial() -> None:  # WIRE-23
    stage = Playbook()
    stage.come_in(peer(5), "20.5.0.1")

    assert stage.feed(ev.DialWanted(public(5), peer(5))) == []


def test_a_wish_whose_node_dials_us_meanwhile_is_no_failure() -> None:  # WIRE-23, WIRE-24
    stage = Playbook()
    (dial,) = of_kind(stage.feed(ev.DialWanted(public(5), peer(5))), fx.Dial)
    stage.come_in(peer(5), "20.5.0.1")

    assert stage.end(dial.connection, Reason.DUPLICATE) == []


def test_wishes_are_bounded() -> None:  # WIRE-23
    stage = Playbook()
    for number in range(ERRANDS_MAX):
        assert of_kind(stage.feed(ev.DialWanted(public(number), peer(number))), fx.Dial)

    assert stage.feed(ev.DialWanted(public(99), peer(99))) == [fx.DialGivenUp(public(99), peer(99))]
    assert stage.feed(ev.DialWanted(public(98), OWN)) == [fx.DialGivenUp(public(98), OWN)]


def test_a_wish_moves_to_the_connection_that_stays() -> None:  # WIRE-23, WIRE-24
    stage = Playbook()
    (dial,) = of_kind(stage.feed(ev.DialWanted(public(5), SMALLER)), fx.Dial)
    inbound = stage.offer("20.5.0.1")
    assert inbound is not None
    stage.prove(inbound, SMALLER, "20.5.0.1")
    stage.prove(dial.connection, SMALLER, "20.5.0.1")
    assert stage.end(dial.connection, Reason.DUPLICATE) == []
    assert stage.feed(ev.DialWanted(public(6), SMALLER)) == []

    assert stage.end(inbound) == [fx.DialGivenUp(public(5), SMALLER), fx.DialGivenUp(public(6), SMALLER)]
