"""The engine as a playbook: inputs in, effects out, with the clock as an argument (ROT-24)."""

from __future__ import annotations

from typing import Any

import pytest

from coc.consensus.rotation.engine import (
    BlockBuilt,
    Build,
    Decide,
    Decided,
    Demanded,
    Due,
    Effect,
    Failed,
    Fulfilled,
    HeadFacts,
    Input,
    RotationEngine,
    Schedule,
    Sealing,
    SetTimer,
    Sign,
    Signed,
    Started,
    TransactionsReady,
)
from coc.consensus.rotation.idle import IdleEngine
from coc.consensus.rotation.slots import RotationRules
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.limits import SEAL_DEMANDS_MAX, SEAL_TIMESTAMP_SECONDS_MAX
from coc.primitives.seals import decode_seal
from coc.primitives.types import Address, Hash32, Height, Millis, Signature
from coc.primitives.validators import Validator, ValidatorSet

OWN = Validator(Address(b"\x01" * 20), bytes(64), bytes(64), 1, Address(b"\x02" * 20))
GENESIS_S = 1_000
SIGNATURE = Signature(b"\x05" * 65)


class Playbook:
    """An engine whose ports answer as they should, unless the test answers itself."""

    def __init__(
        self, sealing: Sealing = Sealing.INTERVAL, interval_ms: int = 1_000, slot_s: int = 1
    ) -> None:
        self.rules = RotationRules(Hash32(b"\x11" * 32), GENESIS_S, slot_s, ValidatorSet((OWN,)))
        self.head = HeadFacts(Hash32(bytes(32)), Height(0), GENESIS_S, b"")
        self.engine = RotationEngine(self.rules, Schedule(sealing, interval_ms), self.head)
        self.now_ms = GENESIS_S * 1_000

    def step(self, event: Input, at_ms: int | None = None) -> list[Effect]:
        self.now_ms = self.now_ms if at_ms is None else at_ms
        return self.engine.step(Millis(self.now_ms), event)

    def one(self, event: Input, at_ms: int | None = None) -> Any:
        (effect,) = self.step(event, at_ms)
        return effect

    def sealed(self, build: Build, *, is_empty: bool = False) -> Decide:
        """Build and sign; the effect that asks for the decision."""
        block = Hash32(bytes([self.head.height + 1]) * 32)
        sign = self.one(BlockBuilt(block, is_empty))
        assert isinstance(sign, Sign)
        assert sign.request.block == block
        decide = self.one(Signed(SIGNATURE))
        assert isinstance(decide, Decide)
        self.decided_head = HeadFacts(block, Height(self.head.height + 1), build.timestamp_s, decide.seal)
        return decide

    def decided(self) -> list[Effect]:
        self.head = self.decided_head
        return self.step(Decided(self.head))

    def block(self, build: Build) -> list[Effect]:
        """All the way; what follows the decision."""
        self.sealed(build)
        return self.decided()


# ── A block's way ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_is_built_signed_and_decided_in_this_order_and_carries_its_parents_seal() -> None:
    play = Playbook()
    assert play.step(Started(), 1_000_400) == [SetTimer(Millis(1_001_000))]
    build = play.one(Due(), 1_001_000)
    assert (build.parent, build.timestamp_s) == (play.head.hash, 1_001)
    data = decode_consensus_data(build.consensus_data)
    assert (data.parent_certificate, data.original_round, data.proposer) == (b"", 1, OWN.id)
    decide = play.sealed(build)
    assert decode_seal(decide.seal).signature == SIGNATURE
    assert play.decided() == [SetTimer(Millis(1_002_000))]
    following = play.one(Due(), 1_002_000)
    assert decode_consensus_data(following.consensus_data).parent_certificate == decide.seal


def test_only_one_block_is_in_the_making_at_a_time() -> None:
    play = Playbook()
    build = play.one(Due(), 1_001_000)
    assert play.step(Due(), 1_002_000) == []
    assert play.step(Demanded(1)) == []
    assert isinstance(play.block(build)[0], Build)


def test_late_answers_without_a_block_in_the_making_are_passed_over() -> None:
    play = Playbook()
    assert play.step(BlockBuilt(Hash32(bytes(32)), is_empty=True)) == []
    assert play.step(Signed(SIGNATURE)) == []


# ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_timestamps_rise_by_a_slot_even_where_the_clock_stands_still() -> None:
    play = Playbook(slot_s=5)
    times = []
    for _ in range(3):
        build = play.one(Due(), 1_000_000)
        times.append(build.timestamp_s)
        play.block(build)
    assert times == [1_005, 1_010, 1_015]


def test_below_a_second_the_rhythm_holds_and_block_time_runs_ahead_of_the_clock() -> None:
    play = Playbook(interval_ms=100)
    (timer,) = play.step(Started(), 1_000_030)
    due = []
    for _ in range(4):
        assert isinstance(timer, SetTimer)
        due.append(timer.at_ms)
        (timer,) = play.block(play.one(Due(), timer.at_ms + 3))
    assert due == [1_000_130, 1_000_230, 1_000_330, 1_000_430]
    assert play.head.timestamp_s == 1_004


def test_after_a_long_stop_no_blocks_are_made_up_for() -> None:
    play = Playbook()
    play.step(Started(), 1_000_000)
    build = play.one(Due(), 1_060_500)
    assert build.timestamp_s == 1_060
    assert play.block(build) == [SetTimer(Millis(1_061_000))]


def test_a_clock_that_was_set_back_does_not_stop_the_blocks() -> None:
    play = Playbook()
    play.step(Started(), 5_000_000)
    build = play.one(Due(), 1_100_000)
    assert play.block(build) == [SetTimer(Millis(1_101_000))]


def test_blocks_on_demand_do_not_push_the_next_interval_away() -> None:
    play = Playbook()
    assert play.step(Started(), 1_000_000) == [SetTimer(Millis(1_001_000))]
    for ticket in range(5):
        assert play.block(play.one(Demanded(ticket), 1_000_100)) == [
            Fulfilled(ticket),
            SetTimer(Millis(1_001_000)),
        ]


# ── Demands ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_demands_queue_and_each_is_met_by_a_block_of_its_own_at_its_time() -> None:
    play = Playbook(Sealing.MANUAL)
    build = play.one(Demanded(1, 2_000))
    assert play.step(Demanded(2, 3_000)) == []
    met, following = play.block(build)
    assert met == Fulfilled(1)
    assert isinstance(following, Build)
    assert (build.timestamp_s, following.timestamp_s) == (2_000, 3_000)
    assert play.block(following) == [Fulfilled(2)]


@pytest.mark.parametrize("timestamp_s", [0, GENESIS_S, SEAL_TIMESTAMP_SECONDS_MAX + 1])
def test_a_demand_at_an_impossible_time_is_refused_with_the_possible_ones(timestamp_s: int) -> None:
    play = Playbook(Sealing.MANUAL)
    refused = play.one(Demanded(1, timestamp_s))
    assert f"{GENESIS_S + 1} to {SEAL_TIMESTAMP_SECONDS_MAX}" in refused.reason
    assert isinstance(play.one(Demanded(2)), Build)


def test_the_latest_time_may_be_asked_for_and_time_goes_on_after_it() -> None:
    play = Playbook(Sealing.MANUAL)
    play.block(play.one(Demanded(1, SEAL_TIMESTAMP_SECONDS_MAX)))
    assert play.one(Demanded(2)).timestamp_s == SEAL_TIMESTAMP_SECONDS_MAX + 1


def test_thousands_of_impossible_demands_in_the_queue_are_refused_in_one_step() -> None:
    play = Playbook(Sealing.MANUAL)
    build = play.one(Demanded(0))
    for ticket in range(1, SEAL_DEMANDS_MAX + 1):
        assert play.step(Demanded(ticket, 5)) == []
    effects = play.block(build)
    assert len(effects) == SEAL_DEMANDS_MAX + 1
    assert all(isinstance(effect, Fulfilled) and effect.reason for effect in effects[1:])


def test_demands_beyond_the_limit_are_refused() -> None:
    play = Playbook(Sealing.MANUAL)
    play.step(Demanded(0))
    for ticket in range(1, SEAL_DEMANDS_MAX + 1):
        assert play.step(Demanded(ticket)) == []
    refused = play.one(Demanded(SEAL_DEMANDS_MAX + 1))
    assert (refused.ticket, str(SEAL_DEMANDS_MAX) in refused.reason) == (SEAL_DEMANDS_MAX + 1, True)


# ── Failures ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_that_cannot_be_built_is_built_anew_after_a_while() -> None:
    play = Playbook()
    play.step(Due(), 1_001_000)
    assert play.step(Failed("no", 700)) == [SetTimer(Millis(1_001_700))]
    assert isinstance(play.one(Due(), 1_001_700), Build)


def test_a_sealed_block_that_cannot_be_written_is_written_again_and_never_replaced() -> None:
    play = Playbook()
    decide = play.sealed(play.one(Due(), 1_001_000))
    for _ in range(3):
        assert play.step(Failed("disk full", 700, keeps_block=True)) == [SetTimer(Millis(play.now_ms + 700))]
        assert play.step(Due(), play.now_ms + 700) == [decide]
        assert play.step(Due()) == []
    play.decided()
    assert play.head.hash == decide.hash


def test_a_sealed_block_that_is_gone_is_built_anew() -> None:
    play = Playbook()
    play.sealed(play.one(Due(), 1_001_000))
    play.step(Failed("the block is not known", 700))
    assert isinstance(play.one(Due(), 1_001_700), Build)


def test_all_who_wait_for_a_block_hear_why_there_is_none() -> None:
    play = Playbook(Sealing.MANUAL)
    play.sealed(play.one(Demanded(1)))
    play.step(Demanded(2))
    assert play.step(Failed("disk full", 700, keeps_block=True)) == [
        Fulfilled(1, "disk full"),
        Fulfilled(2, "disk full"),
    ]


def test_a_manual_chain_writes_its_stuck_block_when_the_next_is_asked_for() -> None:
    play = Playbook(Sealing.MANUAL)
    decide = play.sealed(play.one(Demanded(1)))
    play.step(Failed("disk full", 700, keeps_block=True))
    assert play.step(Demanded(2)) == [decide]
    (following,) = play.decided()
    assert isinstance(following, Build)
    assert play.block(following) == [Fulfilled(2)]


# ── Instant ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_instant_chain_seals_when_transactions_are_ready_and_asks_for_no_timer() -> None:
    play = Playbook(Sealing.INSTANT)
    assert play.step(Started()) == []
    build = play.one(TransactionsReady())
    assert play.block(build) == []


def test_an_instant_chain_drops_a_block_that_came_out_empty() -> None:
    play = Playbook(Sealing.INSTANT)
    play.step(TransactionsReady())
    assert play.step(BlockBuilt(Hash32(bytes(32)), is_empty=True)) == []
    assert isinstance(play.one(TransactionsReady()), Build)


def test_an_instant_chain_seals_an_empty_block_on_demand() -> None:
    play = Playbook(Sealing.INSTANT)
    play.sealed(play.one(Demanded(1)), is_empty=True)
    assert play.decided() == [Fulfilled(1)]


def test_transactions_that_come_while_an_instant_block_is_made_leave_no_wish_behind() -> None:
    play = Playbook(Sealing.INSTANT)
    build = play.one(TransactionsReady())
    assert play.step(TransactionsReady()) == []
    assert play.block(build) == []


def test_a_timer_makes_no_block_on_an_instant_or_manual_chain() -> None:
    for sealing in (Sealing.INSTANT, Sealing.MANUAL):
        assert Playbook(sealing).step(Due()) == []


def test_an_idle_engine_refuses_demands_and_asks_for_nothing() -> None:
    engine = IdleEngine()
    (refused,) = engine.step(Millis(0), Demanded(3))
    assert isinstance(refused, Fulfilled)
    assert (refused.ticket, bool(refused.reason)) == (3, True)
    for event in (Started(), Due(), TransactionsReady()):
        assert engine.step(Millis(0), event) == []
