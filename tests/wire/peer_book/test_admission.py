"""Who may come in, and which of two connections stays."""

from __future__ import annotations

import itertools

from coc.primitives.limits_wire import (
    HANDSHAKES_INBOUND_MAX,
    HANDSHAKES_ON_TRIAL_MAX,
    PEERS_INBOUND_MAX,
    PEERS_INBOUND_PER_IP_MAX,
    PEERS_OUTBOUND_MAX,
    PEERS_PRIVILEGED_MAX,
)
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.errors import Reason
from coc.wire.peer_book import effects as fx
from coc.wire.peer_book import inputs as ev
from coc.wire.peer_book.rules import PersistentPeer
from tests.wire.peer_book.playbook import LARGER, OWN, SMALLER, Playbook, of_kind, peer, public


def host(number: int) -> str:
    return public(number).host


def test_one_address_gets_few_places_handshakes_included() -> None:  # WIRE-26
    stage = Playbook()
    for number in range(PEERS_INBOUND_PER_IP_MAX - 1):
        stage.come_in(peer(number), "20.0.0.1")
    assert stage.offer("20.0.0.1") is not None
    assert stage.offer("20.0.0.1") is None
    assert stage.offer("20.0.0.2") is not None


def test_one_ipv6_customer_counts_as_one_address() -> None:  # WIRE-26
    stage = Playbook()
    admitted = [stage.offer(f"2600:1:2:3::{number}") for number in range(1, 2 * PEERS_INBOUND_PER_IP_MAX)]

    assert sum(connection is not None for connection in admitted) == PEERS_INBOUND_PER_IP_MAX


def test_loopback_is_exempt_on_development_chains_only() -> None:  # WIRE-26
    for is_development in (True, False):
        stage = Playbook(is_development=is_development)
        admitted = [stage.offer("127.0.0.1") for _ in range(3 * PEERS_INBOUND_PER_IP_MAX)]
        assert all(connection is not None for connection in admitted) is is_development


def test_strangers_who_shake_hands_are_bounded() -> None:  # WIRE-26
    stage = Playbook()
    admitted = [stage.offer(host(number)) for number in range(HANDSHAKES_INBOUND_MAX + 5)]
    assert sum(connection is not None for connection in admitted) == HANDSHAKES_INBOUND_MAX
    first = admitted[0]
    assert first is not None
    stage.end(first, Reason.HANDSHAKE_TIMEOUT, is_peers_fault=True)

    assert stage.offer(host(900)) is not None


def crowded(host: str) -> Playbook:
    """A node with one validator to expect, and an address that has all its places."""
    stage = Playbook()
    stage.feed(ev.PrivilegedChanged(frozenset((LARGER,))))
    for number in range(PEERS_INBOUND_PER_IP_MAX):
        stage.come_in(peer(number), host)
    return stage


def test_a_validator_behind_a_crowded_or_banned_address_shows_who_it_is_and_comes_in() -> None:  # WIRE-26
    for is_banned in (False, True):
        stage = crowded("20.0.0.1")
        if is_banned:
            stage.feed(ev.PeerReported(peer(0), 100))
        connection = stage.offer("20.0.0.1")
        assert connection is not None
        stage.open(connection, LARGER, "20.0.0.1")


def test_a_stranger_on_trial_is_told_why_it_cannot_stay() -> None:  # WIRE-26
    for is_banned, reason in ((False, Reason.TOO_MANY_PEERS), (True, Reason.BANNED)):
        stage = crowded("20.0.0.1")
        if is_banned:
            stage.feed(ev.PeerReported(peer(0), 100))
        connection = stage.offer("20.0.0.1")
        assert connection is not None
        assert stage.prove(connection, peer(99), "20.0.0.1") == [fx.Leave(connection, reason)]


def test_trials_are_few_and_one_of_an_address_and_take_no_strangers_place() -> None:  # WIRE-26
    stage = Playbook()
    stage.feed(ev.PrivilegedChanged(frozenset((LARGER,))))
    hosts = [host(number) for number in range(HANDSHAKES_ON_TRIAL_MAX + 1)]
    for number, one in enumerate(hosts):
        stage.come_in(peer(number), one)
        stage.feed(ev.PeerReported(peer(number), 100))
    admitted = [stage.offer(one) for one in hosts]
    assert [connection is None for connection in admitted] == [False] * HANDSHAKES_ON_TRIAL_MAX + [True]
    assert stage.offer(hosts[0]) is None
    assert admitted[0] is not None
    stage.end(admitted[0], Reason.HANDSHAKE_TIMEOUT, is_peers_fault=True)
    assert stage.offer(hosts[0]) is not None
    strangers = [stage.offer(host(100 + number)) for number in range(HANDSHAKES_INBOUND_MAX)]
    assert None not in strangers


def test_where_nobody_is_privileged_nobody_is_on_trial() -> None:  # WIRE-26
    stage = Playbook()
    stage.come_in(peer(1), "20.0.0.1")
    stage.feed(ev.PeerReported(peer(1), 100))
    assert stage.offer("20.0.0.1") is None


def test_the_inbound_share_is_filled_and_the_next_is_told_so() -> None:  # WIRE-26
    stage = Playbook()
    for number in range(PEERS_INBOUND_MAX):
        stage.come_in(peer(number), host(number))
    late = stage.offer(host(900))
    assert late is not None

    assert stage.prove(late, peer(900), host(900)) == [fx.Leave(late, Reason.TOO_MANY_PEERS)]


def test_a_flood_from_everywhere_takes_no_outbound_place() -> None:  # WIRE-20, WIRE-26
    stage = Playbook()
    for number in range(PEERS_INBOUND_MAX):
        stage.come_in(peer(number), host(number))
    for number in range(HANDSHAKES_INBOUND_MAX):
        stage.offer(host(100 + number))
    stage.learn(*(public(number) for number in range(300, 350)))
    taken = 0
    while dials := stage.dials():
        for dial in dials:
            taken += 1
            stage.go_out(dial, peer(1_000 + taken))

    assert taken == PEERS_OUTBOUND_MAX


def test_validators_and_configured_peers_come_in_although_the_share_is_full() -> None:  # WIRE-26
    configured = PersistentPeer(PeerAddress("10.0.0.2", 1), peer(2_000))
    stage = Playbook([configured])
    stage.feed(ev.PrivilegedChanged(frozenset({peer(2_001)})))
    for number in range(PEERS_INBOUND_MAX):
        stage.come_in(peer(number), host(number))

    stage.come_in(peer(2_000), host(800))
    stage.come_in(peer(2_001), host(801))


def test_who_becomes_a_validator_frees_its_place_and_who_ceases_to_be_takes_one() -> None:  # WIRE-26
    stage = Playbook()
    for number in range(PEERS_INBOUND_MAX):
        stage.come_in(peer(number), host(number))
    stage.feed(ev.PrivilegedChanged(frozenset({peer(0)})))
    stage.come_in(peer(900), host(900))
    stage.feed(ev.PrivilegedChanged(frozenset()))
    late = stage.offer(host(901))
    assert late is not None

    assert stage.prove(late, peer(901), host(901)) == [fx.Leave(late, Reason.TOO_MANY_PEERS)]


def test_privileges_are_bounded() -> None:  # WIRE-26
    stage = Playbook()
    everybody = frozenset(peer(number) for number in range(PEERS_PRIVILEGED_MAX + 1))
    stage.feed(ev.PrivilegedChanged(everybody))
    for number in range(PEERS_INBOUND_MAX):
        stage.come_in(peer(5_000 + number), host(number))
    welcomed = 0
    for number, who in enumerate(sorted(everybody)):
        connection = stage.offer(host(100 + number))
        assert connection is not None
        welcomed += bool(of_kind(stage.prove(connection, who, host(100 + number)), fx.Welcome))

    assert welcomed == PEERS_PRIVILEGED_MAX


# ── Two connections to one peer ─────────────────────────────────────────────────────────────────────────────


def two_ways(who: PeerId, first_hash: bytes, second_hash: bytes, *, dial_first: bool) -> str:
    """Connect both ways with a peer; which connection is kept."""
    stage = Playbook(seeds=[public(1)])
    (dial,) = stage.dials()
    inbound = stage.offer(public(1).host)
    assert inbound is not None
    order = [(dial.connection, first_hash), (inbound, second_hash)]
    effects: list[fx.Effect] = []
    for connection, channel_hash in order if dial_first else reversed(order):
        effects += stage.prove(connection, who, public(1).host, channel_hash)
    (left,) = of_kind(effects, fx.Leave)
    assert left.reason is Reason.DUPLICATE
    return "inbound" if left.connection == dial.connection else "outbound"


def test_the_connection_dialled_by_the_smaller_peer_stays_whatever_came_first() -> None:  # WIRE-24
    for hashes in itertools.permutations((b"\0" * 32, b"\xff" * 32)):
        for dial_first in (True, False):
            assert two_ways(SMALLER, *hashes, dial_first=dial_first) == "inbound"
            assert two_ways(LARGER, *hashes, dial_first=dial_first) == "outbound"


def test_of_two_dials_by_the_same_node_the_smaller_handshake_hash_stays() -> None:  # WIRE-24
    for first, second in itertools.permutations((b"\1" * 32, b"\2" * 32)):
        stage = Playbook()
        one, other = stage.offer("20.0.0.1"), stage.offer("20.0.0.1")
        assert one is not None
        assert other is not None
        stage.prove(one, LARGER, "20.0.0.1", first)
        effects = stage.prove(other, LARGER, "20.0.0.1", second)
        loser = other if first < second else one
        assert of_kind(effects, fx.Leave) == [fx.Leave(loser, Reason.DUPLICATE)]


def test_both_sides_keep_the_same_one_in_whatever_order_they_see_them() -> None:  # WIRE-24
    hashes = {"by us": b"\7" * 32, "by them": b"\3" * 32}
    for our_order in itertools.permutations(hashes):
        for their_order in itertools.permutations(hashes):
            kept = {
                two_ways_of(OWN, SMALLER, our_order, hashes, "by us"),
                two_ways_of(SMALLER, OWN, their_order, hashes, "by them"),
            }
            assert kept == {"by them"}


def two_ways_of(
    own: PeerId, other: PeerId, order: tuple[str, ...], hashes: dict[str, bytes], dialled: str
) -> str:
    """The view of node `own`: which of the two connections it keeps."""
    stage = Playbook(seeds=[public(1)])
    stage.book._core.connections._setup = stage.setup.__class__(own)
    (dial,) = stage.dials()
    inbound = stage.offer(public(1).host)
    assert inbound is not None
    number = {name: dial.connection if name == dialled else inbound for name in hashes}
    effects: list[fx.Effect] = []
    for name in order:
        effects += stage.prove(number[name], other, public(1).host, hashes[name])
    (left,) = of_kind(effects, fx.Leave)
    return next(name for name in hashes if number[name] != left.connection)


def test_the_older_connection_is_pinged_when_it_stays() -> None:  # WIRE-24
    stage = Playbook(seeds=[public(1)])
    (dial,) = stage.dials()
    kept = stage.go_out(dial, LARGER)
    again = stage.offer(public(1).host)
    assert again is not None

    assert stage.prove(again, LARGER, public(1).host) == [
        fx.Leave(again, Reason.DUPLICATE),
        fx.Probe(kept),
    ]


def test_the_connection_that_stays_takes_the_place_of_the_other() -> None:  # WIRE-24
    stage = Playbook()
    for number in range(PEERS_INBOUND_MAX):
        stage.come_in(LARGER if number == 0 else peer(number), host(number))
    again = stage.offer(host(0))
    assert again is not None
    effects = stage.prove(again, LARGER, host(0), channel_hash=bytes(32))

    assert of_kind(effects, fx.Welcome) == [fx.Welcome(again)]
    assert [effect.reason for effect in of_kind(effects, fx.Leave)] == [Reason.DUPLICATE]


def test_a_connection_that_is_being_left_is_no_rival() -> None:
    stage = Playbook()
    first, second, third = (stage.offer("20.0.0.1") for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    stage.prove(first, LARGER, "20.0.0.1", b"\3" * 32)
    stage.prove(second, LARGER, "20.0.0.1", b"\2" * 32)
    effects = stage.prove(third, LARGER, "20.0.0.1", b"\1" * 32)

    assert effects == [fx.Leave(second, Reason.DUPLICATE), fx.Welcome(third)]


def test_answers_for_connections_that_are_gone_change_nothing() -> None:
    stage = Playbook()

    assert stage.prove(77, peer(1), "20.0.0.1") == []
    assert stage.feed(ev.ConnectionOpened(77)) == []
    assert stage.end(77, Reason.PROTOCOL_BROKEN, is_peers_fault=True) == []
    assert stage.feed(ev.AddressesAsked(77)) == []
    assert stage.feed(ev.AddressesTold(77, ())) == []
