"""Four validators, of which one is killed, stopped, or loses everything but its keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.network.decisions import ledgers_of, offences, verify
from tests.e2e.network.marks import mark_of
from tests.e2e.network.network_process import (
    PATIENT,
    Member,
    Network,
    assert_nobody_is_accused,
    network,
    same_block,
    wipe,
)

pytestmark = pytest.mark.alone

SURVIVORS = 3
HEIGHTS_WITHOUT = 12
"""Decided while one is dead: three turns of each validator."""
HEIGHTS_STOPPED = 8
HEIGHTS_AFTER = 4
"""Every validator has a turn."""


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Four validators and their folders; each test starts and stops them."""
    with network(tmp_path_factory.mktemp("four") / "net", 4, bft=PATIENT) as made:
        yield made


@pytest.fixture
def running(four: Network) -> Iterator[Network]:
    """The four, up and one height further."""
    four.start()
    four.until_height(max(each.height() for each in four.members) + 1)
    yield four
    four.kill_all()


def others_than(away: Member, four: Network) -> list[Member]:
    return [each for each in four.members if each is not away]


def until_back(away: Member, four: Network) -> int:
    """Wait until a validator is where the others are, and all have gone on from there; the height."""
    top = max(each.height() for each in others_than(away, four))
    four.until_height(top, away)
    four.until_height(top + HEIGHTS_AFTER)
    same_block(four.members, top)
    return top


def metrics_of(member: Member) -> dict[str, float]:
    """What a running node shows at `/metrics`, by series and label."""
    status, text = member.page("/metrics")
    assert status == 200
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("coc_"))
    return {name: float(value) for name, value in rows}


def test_one_dead_of_four_costs_one_round_at_its_own_heights_and_none_at_others_and_it_catches_up(
    running: Network,
) -> None:
    dead = running[3]
    dead.kill()
    first = max(each.height() for each in others_than(dead, running)) + 2
    heights = range(first, first + HEIGHTS_WITHOUT)
    running.until_height(heights.stop + 1)

    for survivor in others_than(dead, running):
        shown = metrics_of(survivor)
        lost = HEIGHTS_WITHOUT // 4
        assert shown["coc_peers"] == 2
        assert shown["coc_bft_rounds_lost_total"] >= lost
        assert shown['coc_bft_timeouts_total{step="propose"}'] >= lost
        assert shown['coc_bft_votes_total{step="prevote"}'] >= SURVIVORS * HEIGHTS_WITHOUT
        assert shown['coc_bft_votes_total{step="precommit"}'] >= SURVIVORS * HEIGHTS_WITHOUT
        assert shown['coc_bft_nil_votes_total{step="prevote"}'] >= lost
        assert shown['coc_wire_messages_total{kind="consensus"}'] > HEIGHTS_WITHOUT
        assert shown["coc_wal_syncs_total"] > HEIGHTS_WITHOUT
        assert shown["coc_sync_goal_height"] >= heights.stop
    running.start(dead)
    back = until_back(dead, running)
    running.stop()

    ledger = ledgers_of(running)[0]
    verify(ledger)
    assert_nobody_is_accused(running.members)
    expected = {height: int(ledger[height].first_proposer() == dead.id) for height in heights}
    assert sum(expected.values()) == HEIGHTS_WITHOUT // 4
    assert {height: ledger.round_of(height) for height in heights} == expected
    assert all(dead.id not in ledger.voters(height) for height in heights)
    assert any(dead.id in ledger.voters(height) for height in range(back + 1, ledger.head))


def test_a_node_stopped_for_many_heights_catches_up_and_votes_again(running: Network) -> None:
    stopped = running[1]
    stopped.pause()
    others = others_than(stopped, running)
    before = max(each.height() for each in others)
    running.until_height(before + HEIGHTS_STOPPED, *others)
    stopped.resume()

    back = until_back(stopped, running)
    running.stop()

    ledger = ledgers_of(running)[0]
    verify(ledger)
    assert_nobody_is_accused(running.members)
    assert not any(
        stopped.id in ledger.voters(height) for height in range(before + 2, before + HEIGHTS_STOPPED)
    )
    assert any(stopped.id in ledger.voters(height) for height in range(back + 1, ledger.head))
    assert offences([ledger]) == []


def test_a_node_that_lost_all_but_its_keys_signs_nothing_below_its_mark_and_waits_for_a_height_without_it(
    running: Network, tmp_path: Path
) -> None:
    wiped = running[2]
    wiped.kill()
    mark = mark_of(wiped, tmp_path / "mark")
    assert mark is not None
    wipe(wiped)
    running.initialise([wiped])
    others = others_than(wiped, running)
    running.until_height(max(each.height() for each in others) + 2, *others)

    running.launch(wiped)
    again = running.until(
        lambda: None if (seen := mark_of(wiped, tmp_path / "mark")) == mark else seen,
        "the wiped validator signs again",
    )
    until_back(wiped, running)
    running.stop()

    ledger = ledgers_of(running)[0]
    verify(ledger)
    assert_nobody_is_accused(running.members)
    assert again > mark
    assert any(wiped.id not in ledger.voters(height) for height in range(mark[0] + 1, again[0]))
    assert any(wiped.id in ledger.voters(height) for height in range(again[0], ledger.head))
    assert offences([ledger]) == []
