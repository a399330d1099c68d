"""Points fade, bans double, and loopback is never banned."""

from __future__ import annotations

import pytest

from coc.primitives.limits_wire import (
    BAN_MEMORY_MS,
    BAN_MS_MAX,
    BAN_MS_MIN,
    DIAL_BACKOFF_MS_MAX,
    REPUTATION_BAN_POINTS_MIN,
    REPUTATION_ENTRIES_MAX,
    REPUTATION_HALF_LIFE_MS,
)
from coc.primitives.types import Millis
from coc.wire.addresses import PeerAddress
from coc.wire.errors import Reason
from coc.wire.peer_book import effects as fx
from coc.wire.peer_book import inputs as ev
from coc.wire.peer_book.reputation import UNPROVEN_POINTS_MAX, Reputations, ban_ms
from coc.wire.peer_book.rules import PersistentPeer
from tests.wire.peer_book.playbook import LARGER, Playbook, of_kind, peer, public

ANNA = peer(1)


def test_points_halve_with_every_half_life() -> None:  # WIRE-28
    reputations = Reputations()
    reputations.add(0, ANNA, 80)

    assert reputations.points(REPUTATION_HALF_LIFE_MS, ANNA) == pytest.approx(40)
    assert reputations.points(3 * REPUTATION_HALF_LIFE_MS, ANNA) == pytest.approx(10)
    assert reputations.points(-5, ANNA) == pytest.approx(80)
    assert reputations.points(0, peer(2)) == 0


def test_accidents_now_and_then_never_add_up_to_a_ban() -> None:  # WIRE-28
    reputations = Reputations()

    assert all(reputations.add(number * REPUTATION_HALF_LIFE_MS, ANNA, 49) is None for number in range(1_000))


def test_the_last_point_bans() -> None:  # WIRE-28
    reputations = Reputations()
    assert reputations.add(0, ANNA, REPUTATION_BAN_POINTS_MIN - 1) is None
    assert not reputations.is_banned(0, ANNA)

    assert reputations.add(0, ANNA, 1) == BAN_MS_MIN
    assert reputations.is_banned(BAN_MS_MIN - 1, ANNA)
    assert not reputations.is_banned(BAN_MS_MIN, ANNA)


def test_bans_double_from_half_an_hour_to_a_day() -> None:  # WIRE-28
    assert [ban_ms(bans) for bans in range(1, 9)] == [
        BAN_MS_MIN,
        2 * BAN_MS_MIN,
        4 * BAN_MS_MIN,
        8 * BAN_MS_MIN,
        16 * BAN_MS_MIN,
        32 * BAN_MS_MIN,
        BAN_MS_MAX,
        BAN_MS_MAX,
    ]
    assert ban_ms(10**9) == BAN_MS_MAX


def test_a_ban_long_ago_does_not_count_as_a_repetition() -> None:  # WIRE-28
    reputations = Reputations()
    first = reputations.add(0, ANNA, 100)
    assert first is not None
    second = reputations.add(first + BAN_MEMORY_MS, ANNA, 100)
    assert second is not None
    third = reputations.add(second + BAN_MEMORY_MS + 1, ANNA, 100)
    assert third is not None

    assert second - (first + BAN_MEMORY_MS) == 2 * BAN_MS_MIN
    assert third - (second + BAN_MEMORY_MS + 1) == BAN_MS_MIN


def test_points_during_a_ban_do_not_lengthen_it() -> None:
    reputations = Reputations()
    reputations.add(0, ANNA, 100)

    assert reputations.add(5, ANNA, 100) is None
    assert not reputations.is_banned(BAN_MS_MIN, ANNA)


def test_what_is_remembered_is_bounded_and_bans_are_kept_longest() -> None:  # WIRE-28
    reputations = Reputations()
    reputations.add(0, ANNA, 100)
    for number in range(2, 2 * REPUTATION_ENTRIES_MAX):
        reputations.add(number, peer(number), 10)
        if number % 512 == 0:
            assert len(reputations.entries(number)) <= REPUTATION_ENTRIES_MAX

    assert reputations.is_banned(2 * REPUTATION_ENTRIES_MAX, ANNA)


# ── In the book ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reported_peer_is_parted_from_and_stays_out_with_its_address() -> None:  # WIRE-28, WIRE-29
    stage = Playbook()
    connection = stage.come_in(ANNA, "20.0.0.1")
    assert stage.feed(ev.PeerReported(ANNA, REPUTATION_BAN_POINTS_MIN - 1)) == []
    effects = stage.feed(ev.PeerReported(ANNA, 2))

    assert of_kind(effects, fx.Leave) == [fx.Leave(connection, Reason.BANNED)]
    assert {effect.subject for effect in of_kind(effects, fx.Banned)} == {ANNA.hex(), "20.0.0.1/32"}
    assert {effect.until_ms for effect in of_kind(effects, fx.Banned)} == {stage.now_ms + BAN_MS_MIN}
    stage.end(connection, Reason.BANNED)
    assert stage.offer("20.0.0.1") is None
    elsewhere = stage.offer("20.0.0.2")
    assert elsewhere is not None
    assert stage.prove(elsewhere, ANNA, "20.0.0.2") == [fx.Leave(elsewhere, Reason.BANNED)]
    stage.now_ms += BAN_MS_MIN
    stage.come_in(ANNA, "20.0.0.1")


def test_a_broken_protocol_costs_a_ban() -> None:  # WIRE-28
    stage = Playbook()
    connection = stage.come_in(ANNA, "20.0.0.1")
    stage.end(connection, Reason.PROTOCOL_BROKEN, is_peers_fault=True)

    assert stage.offer("20.0.0.1") is None
    assert stage.book.is_banned(stage.now_ms, ANNA)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "reason", [Reason.TOO_SLOW, Reason.SILENT, Reason.LOST, Reason.TOO_MANY_PEERS, Reason.SHUTTING_DOWN]
)
def test_what_the_network_does_costs_nothing(reason: Reason) -> None:  # WIRE-28
    stage = Playbook()
    for _ in range(200):
        stage.end(stage.come_in(ANNA, "20.0.0.1"), reason, is_peers_fault=True)


def test_what_a_peer_says_of_us_costs_it_nothing() -> None:
    stage = Playbook()
    for _ in range(200):
        stage.end(stage.come_in(ANNA, "20.0.0.1"), Reason.PROTOCOL_BROKEN)


def test_an_address_that_proves_nobody_loses_points_of_its_own() -> None:  # WIRE-29
    stage = Playbook()
    admitted = 0
    while (connection := stage.offer("20.0.0.1")) is not None:
        admitted += 1
        stage.end(connection, Reason.PROTOCOL_BROKEN, is_peers_fault=True)

    assert admitted == REPUTATION_BAN_POINTS_MIN // UNPROVEN_POINTS_MAX
    assert stage.offer("20.0.0.2") is not None


def test_an_address_that_is_reported_loses_little_at_once_and_its_peers_nothing() -> None:  # WIRE-29, HTTP-7
    stage = Playbook()
    honest = stage.come_in(LARGER, "20.1.0.1")
    reports = REPUTATION_BAN_POINTS_MIN // UNPROVEN_POINTS_MAX
    for _ in range(reports - 1):
        assert stage.feed(ev.AddressReported("20.1.0.1", 100)) == []
    (banned,) = stage.feed(ev.AddressReported("20.1.0.1", 100))
    assert isinstance(banned, fx.Banned)
    assert stage.book.is_host_banned(Millis(stage.now_ms), "20.1.0.1")
    assert not stage.book.is_banned(Millis(stage.now_ms), LARGER)
    assert of_kind(stage.feed(ev.AddressesAsked(honest)), fx.TellAddresses)
    assert stage.feed(ev.AddressReported("127.0.0.1", 100)) == []


def test_loopback_is_never_banned_though_its_peers_are() -> None:  # WIRE-29
    for is_development in (True, False):
        stage = Playbook(is_development=is_development)
        for number in range(20):
            connection = stage.come_in(peer(number), "127.0.0.1")
            stage.end(connection, Reason.PROTOCOL_BROKEN, is_peers_fault=True)
            unproven = stage.offer("127.0.0.1")
            assert unproven is not None
            stage.end(unproven, Reason.PROTOCOL_BROKEN, is_peers_fault=True)
        back = stage.offer("127.0.0.1")
        assert back is not None
        assert stage.prove(back, peer(0), "127.0.0.1") == [fx.Leave(back, Reason.BANNED)]


def test_a_peer_that_is_gone_can_still_be_reported() -> None:
    stage = Playbook()
    (banned,) = stage.feed(ev.PeerReported(LARGER, 100))

    assert banned == fx.Banned(LARGER.hex(), stage.now_ms + BAN_MS_MIN)  # type: ignore[arg-type]


def test_the_banned_are_not_dialled_and_configured_ones_are_again_afterwards() -> None:  # WIRE-28
    stage = Playbook([PersistentPeer(PeerAddress("10.0.0.2", 1), ANNA)], seeds=[public(7)])
    for dial in stage.dials():
        who = ANNA if dial.expected else peer(7)
        stage.go_out(dial, who)
        stage.feed(ev.PeerReported(who, 100))
        stage.end(dial.connection, Reason.BANNED)

    assert stage.dials(BAN_MS_MIN - 1) == []
    assert len(stage.dials(DIAL_BACKOFF_MS_MAX)) == 2
