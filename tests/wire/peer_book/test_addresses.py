"""What is heard of others, what is told, and what survives a restart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.primitives import rlp
from coc.primitives.frozen import replace
from coc.primitives.limits_wire import (
    ADDRESSES_ANSWER_MS_MIN,
    ADDRESSES_ASK_MS,
    ADDRESSES_KNOWN_MAX,
    ADDRESSES_PER_MESSAGE_MAX,
    ADDRESSES_PER_NETWORK_MAX,
    BAN_MS_MAX,
    BAN_MS_MIN,
    DIAL_STABLE_MS,
    HOST_CHARS_MAX,
    PEER_STORE_BYTES_MAX,
    PEER_STORE_SAVE_MS,
    REPUTATION_ENTRIES_MAX,
)
from coc.primitives.types import Millis, PeerId
from coc.wire.addresses import PeerAddress, Scheme
from coc.wire.errors import Reason
from coc.wire.peer_book import effects as fx
from coc.wire.peer_book import inputs as ev
from coc.wire.peer_book.known import Known, Source
from coc.wire.peer_book.reputation import Standing, Subject
from coc.wire.peer_book.rules import PersistentPeer
from coc.wire.peer_book.store import PeerStoreInvalid, StoredBook, decode_book, encode_book
from tests.wire.fakes import unhurried
from tests.wire.peer_book.playbook import START_MS, Playbook, of_kind, peer, public


def asked(stage: Playbook) -> int:
    """A dialled peer on the internet, of whom addresses were asked."""
    (dial,) = stage.dials()
    assert of_kind(stage.feed(ev.Ticked()), fx.AskAddresses) == []
    stage.prove(dial.connection, peer(1), dial.address.host)
    assert stage.feed(ev.ConnectionOpened(dial.connection)) == [fx.AskAddresses(dial.connection)]
    return dial.connection


def tell(stage: Playbook, connection: int, *addresses: PeerAddress) -> list[fx.Effect]:
    return stage.feed(ev.AddressesTold(connection, addresses))


def test_only_those_whom_we_dialled_are_asked_and_again_after_a_while() -> None:  # WIRE-27
    stage = Playbook(seeds=[public(1)])
    connection = asked(stage)
    stage.come_in(peer(2), "20.2.0.1")

    assert of_kind(stage.tick(ADDRESSES_ASK_MS - 1), fx.AskAddresses) == []
    assert of_kind(stage.tick(1), fx.AskAddresses) == [fx.AskAddresses(connection)]


def test_what_was_asked_for_is_learned_and_dialled() -> None:  # WIRE-27
    stage = Playbook(seeds=[public(1)])
    tell(stage, asked(stage), public(5), public(6))

    assert {dial.address for dial in stage.dials()} == {public(5), public(6)}


def test_telling_unasked_costs_points_and_teaches_nothing() -> None:  # WIRE-27
    stage = Playbook()
    connection = stage.come_in(peer(2), "20.2.0.1")
    effects: list[fx.Effect] = []
    for _ in range(5):
        effects += tell(stage, connection, public(5))

    assert stage.known() == set()
    assert of_kind(effects, fx.Leave) == [fx.Leave(connection, Reason.BANNED)]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.7", "192.168.1.1", "169.254.1.1", "0.0.0.0", "224.0.0.9", "::1", "fe80::1"]
)
def test_a_peer_on_the_internet_cannot_send_us_into_private_networks(host: str) -> None:  # WIRE-27
    for is_development in (True, False):
        stage = Playbook(seeds=[public(1)], is_development=is_development)
        tell(stage, asked(stage), PeerAddress(host, 80))
        assert stage.known() == {public(1)}


def test_a_peer_on_a_private_network_may_tell_of_others_there() -> None:  # WIRE-27
    stage = Playbook(seeds=[PeerAddress("172.18.0.2", 1)])
    tell(stage, asked(stage), PeerAddress("172.18.0.3", 1), PeerAddress("127.0.0.1", 1))

    assert stage.known() == {PeerAddress("172.18.0.2", 1), PeerAddress("172.18.0.3", 1)}


def test_loopback_is_told_between_nodes_of_one_machine_on_development_chains() -> None:  # WIRE-27
    stage = Playbook(seeds=[PeerAddress("127.0.0.1", 1)], is_development=True)
    tell(stage, asked(stage), PeerAddress("127.0.0.1", 2))

    assert PeerAddress("127.0.0.1", 2) in stage.known()


def test_an_answer_has_what_worked_without_the_asker_itself() -> None:  # WIRE-27
    stage = Playbook(seeds=[public(1), public(2)])
    for dial in stage.dials():
        stage.go_out(dial, peer(int(dial.address == public(2)) + 1))
    stage.learn(public(3))
    stage.come_in(peer(4), public(4).host, port=19_781)
    asker = stage.come_in(peer(9), public(9).host, port=19_781)
    (told,) = of_kind(stage.feed(ev.AddressesAsked(asker)), fx.TellAddresses)

    assert set(told.addresses) == {public(1), public(2), public(4)}


def test_an_answer_is_bounded_and_not_repeated_at_once() -> None:  # WIRE-27
    stage = Playbook(
        stored=StoredBook(
            tuple(Known(public(number), Source.TOLD, succeeded_ms=1 + number) for number in range(200))
        )
    )
    asker = stage.come_in(peer(9), "20.250.0.1")
    (told,) = of_kind(stage.feed(ev.AddressesAsked(asker)), fx.TellAddresses)

    assert told.addresses == tuple(
        public(number) for number in range(199, 199 - ADDRESSES_PER_MESSAGE_MAX, -1)
    )
    stage.now_ms += ADDRESSES_ANSWER_MS_MIN - 1
    assert stage.feed(ev.AddressesAsked(asker)) == []
    stage.now_ms += 1
    assert len(stage.feed(ev.AddressesAsked(asker))) == 1


def test_one_network_cannot_fill_the_list() -> None:  # WIRE-25
    stage = Playbook()
    stage.learn(*(PeerAddress(f"20.7.{number // 250}.{number % 250}", 1) for number in range(300)))

    assert len(stage.known()) == ADDRESSES_PER_NETWORK_MAX


def test_hearsay_makes_room_by_forgetting_hearsay_and_nothing_that_worked() -> None:  # WIRE-25
    worked = tuple(Known(public(number), Source.TOLD, succeeded_ms=5) for number in range(100))
    stage = Playbook([PersistentPeer(PeerAddress("10.0.0.2", 1))], stored=StoredBook(worked))
    stage.learn(*(public(number) for number in range(1_000, 1_000 + 2 * ADDRESSES_KNOWN_MAX)))

    assert len(stage.known()) == ADDRESSES_KNOWN_MAX
    assert {known.address for known in worked} < stage.known()
    assert PeerAddress("10.0.0.2", 1) in stage.known()
    assert public(1_000 + 2 * ADDRESSES_KNOWN_MAX - 1) in stage.known()


def test_a_list_of_what_worked_learns_no_hearsay() -> None:  # WIRE-25
    worked = tuple(
        Known(public(number), Source.TOLD, succeeded_ms=5) for number in range(ADDRESSES_KNOWN_MAX)
    )
    stage = Playbook(stored=StoredBook(worked))
    stage.learn(public(5_000))

    assert public(5_000) not in stage.known()


def test_hearsay_never_changes_whom_we_expect() -> None:  # WIRE-25
    stage = Playbook()
    stage.feed(ev.AddressFound(public(1), peer(1)))
    stage.feed(ev.AddressFound(public(1), peer(666)))

    assert [dial.expected for dial in stage.dials()] == [peer(1)]


# ── The store ───────────────────────────────────────────────────────────────────────────────────────────────


def test_learned_addresses_and_bans_survive_a_restart() -> None:  # WIRE-30
    stage = Playbook([PersistentPeer(PeerAddress("10.0.0.2", 1))], seeds=[public(1)])
    for dial in stage.dials():
        if dial.address == public(1):
            stage.go_out(dial, peer(1))
    stage.feed(ev.AddressFound(PeerAddress("2600:1::5", 7), peer(5)))
    banned = stage.come_in(peer(6), "20.6.0.1")
    stage.end(banned, Reason.PROTOCOL_BROKEN, is_peers_fault=True)
    again = stage.restarted()

    assert again.known() == stage.known()
    assert again.book.is_host_banned(Millis(again.now_ms), "20.6.0.1")
    assert again.book.is_banned(Millis(again.now_ms), peer(6))
    again.now_ms += BAN_MS_MIN
    assert again.offer("20.6.0.1") is not None


def test_an_address_over_http_is_neither_told_nor_stored() -> None:  # HTTP-12
    over_http = replace(public(1), scheme=Scheme.HTTP)
    stage = Playbook([PersistentPeer(over_http)])
    (dial,) = stage.dials()
    stage.go_out(dial, peer(1))
    asker = stage.come_in(peer(2), "20.9.0.1")
    (told,) = of_kind(stage.feed(ev.AddressesAsked(asker)), fx.TellAddresses)
    assert told.addresses == ()

    stage.learn(replace(public(3), scheme=Scheme.HTTPS), public(4))
    again = Playbook(stored=decode_book(stage.book.encode(Millis(stage.now_ms)), Millis(stage.now_ms)))
    assert again.known() == {public(4)}


def test_the_book_is_saved_every_while() -> None:  # WIRE-30
    stage = Playbook(seeds=[public(1)])
    assert of_kind(stage.tick(PEER_STORE_SAVE_MS - 1), fx.Save) == []
    (save,) = of_kind(stage.tick(1), fx.Save)

    assert [known.address for known in decode_book(save.data, Millis(stage.now_ms)).addresses] == [public(1)]
    assert of_kind(stage.tick(1), fx.Save) == []


def test_the_fullest_store_fits_its_limit() -> None:  # WIRE-30
    known = [
        Known(
            PeerAddress(f"{number:04d}".ljust(HOST_CHARS_MAX, "a"), 65_535),
            Source.FOUND,
            expected=PeerId(b"\xff" * 32),
            succeeded_ms=2**63,
            failures=9,
        )
        for number in range(ADDRESSES_KNOWN_MAX)
    ]
    standings: list[tuple[Subject, Standing]] = [
        (f"{number:04d}".ljust(HOST_CHARS_MAX, "a"), Standing(99.0, 2**62, 2**31, 2**62))
        for number in range(REPUTATION_ENTRIES_MAX)
    ]
    data = encode_book(known, standings)

    assert len(data) <= PEER_STORE_BYTES_MAX
    read = decode_book(data, Millis(START_MS))
    assert (len(read.addresses), len(read.standings)) == (ADDRESSES_KNOWN_MAX, REPUTATION_ENTRIES_MAX)


def test_times_that_a_wrong_clock_wrote_are_pulled_back() -> None:  # WIRE-30
    data = encode_book(
        [Known(public(1), Source.TOLD, succeeded_ms=2**60)], [(peer(1), Standing(50.0, 2**60, 3, 2**60))]
    )
    book = decode_book(data, Millis(START_MS))

    assert book.addresses[0].succeeded_ms == START_MS
    assert book.standings[0][1] == Standing(50.0, START_MS, 3, START_MS + BAN_MS_MAX)


def test_what_was_configured_once_is_hearsay_when_it_is_not_any_more() -> None:
    data = encode_book([Known(public(1), Source.PERSISTENT)], [])

    assert decode_book(data, Millis(START_MS)).addresses[0].source is Source.TOLD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        rlp.encode([2, [], []]),
        rlp.encode([1, [], [], []]),
        rlp.encode([1, [[b"h"]], []]),
        rlp.encode([1, [[b"\xff", 1, b"", 1, 1, 1]], []]),
        rlp.encode([1, [[b"h", 1, b"", 9, 1, 1]], []]),
        rlp.encode([1, [[b"h", 65_536, b"", 1, 1, 1]], []]),
        rlp.encode([1, [[b"h" * (HOST_CHARS_MAX + 1), 1, b"", 1, 1, 1]], []]),
        rlp.encode([1, [], [[b"s", 2, 1, 1, 1, 1]]]),
        bytes(PEER_STORE_BYTES_MAX + 1),
    ],
)
def test_bytes_of_another_shape_are_no_store(data: bytes) -> None:  # WIRE-30
    with pytest.raises(PeerStoreInvalid):
        decode_book(data, Millis(START_MS))


@unhurried()
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=4))
def test_a_damaged_store_reads_or_is_refused(place: int, noise: bytes) -> None:  # WIRE-30
    good = encode_book([Known(public(1), Source.TOLD)], [(peer(1), Standing(50.0, 5, 1, 9))])
    place %= len(good)
    try:
        book = decode_book(good[:place] + noise + good[place + len(noise) :], Millis(START_MS))
    except PeerStoreInvalid:
        return
    stage = Playbook(stored=book)
    stage.run(DIAL_STABLE_MS // 20)
