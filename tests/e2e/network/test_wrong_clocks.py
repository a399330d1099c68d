"""Four validators whose clocks are wrong, and one that an hour has passed by."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.network.decisions import ledgers_of, offences, verify
from tests.e2e.network.network_process import (
    PATIENT,
    Member,
    assert_nobody_is_accused,
    entry,
    network,
    same_block,
)
from tests.e2e.network.wrong_clock import WrongClock

pytestmark = pytest.mark.alone

MINUTE_SECONDS = 60
HOUR_SECONDS = 3_600
HEIGHTS = 12
"""Three turns of each validator."""
HEIGHTS_AWAY = 4
HEIGHTS_AFTER = 4
"""Every validator has a turn."""


def test_a_validator_a_minute_ahead_decides_no_block_and_one_a_minute_behind_still_does(
    tmp_path: Path,
) -> None:
    with network(tmp_path / "net", 4, bft=PATIENT) as four:
        fast, slow = four[2], four[3]
        fast.place = WrongClock(tmp_path / "fast", MINUTE_SECONDS).place
        slow.place = WrongClock(tmp_path / "slow", -MINUTE_SECONDS).place
        four.start()
        four.until_height(HEIGHTS + 1)
        same_block(four.members, HEIGHTS)
        blocks = [four[0].block(height) for height in range(1, HEIGHTS + 1)]
        assert int(blocks[-1]["timestamp"], 16) <= time.time() + PATIENT.clock_tolerance_s
        four.stop()

        ledger = ledgers_of(four)[0]
        verify(ledger)
        turns = [height for height in range(1, HEIGHTS + 1) if ledger[height].first_proposer() == fast.id]
        assert len(turns) == HEIGHTS // 4
        assert all(ledger.round_of(height) > 0 for height in turns)
        makers = {block["miner"] for block in blocks}
        assert recipient(fast) not in makers
        assert recipient(slow) in makers
        assert any(fast.id in ledger.voters(height) for height in range(1, HEIGHTS))
        assert offences([ledger]) == []
        assert_nobody_is_accused(four.members)


def recipient(member: Member) -> str:
    """Who gets the fees of a member's blocks."""
    return f"0x{entry(member.number, 1).fee_recipient.hex()}"


def test_a_validator_asleep_while_an_hour_of_the_chain_passes_catches_up_and_votes_again(
    tmp_path: Path,
) -> None:
    clock = WrongClock(tmp_path / "clock")
    with network(tmp_path / "net", 4, bft=PATIENT) as four:
        for member in four.members:
            member.place = clock.place
        four.start()
        four.until_height(1)
        asleep, others = four[3], four.members[:3]
        asleep.pause()
        before = max(each.height() for each in others)
        clock.set(HOUR_SECONDS)
        four.until_height(before + HEIGHTS_AWAY, *others)
        asleep.resume()

        top = max(each.height() for each in others)
        four.until_height(top + HEIGHTS_AFTER)
        passed = [int(four[0].block(height)["timestamp"], 16) for height in (before, top)]
        assert passed[1] - passed[0] >= HOUR_SECONDS
        same_block(four.members, top)
        four.stop()

        ledger = ledgers_of(four)[0]
        verify(ledger)
        assert not any(
            asleep.id in ledger.voters(height) for height in range(before + 2, before + HEIGHTS_AWAY)
        )
        assert any(asleep.id in ledger.voters(height) for height in range(top, ledger.head))
        assert offences([ledger]) == []
        assert_nobody_is_accused(four.members)
