"""Transactions go in at once, and slowly while blocks come late: in their order, and without end."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import pytest

from coc.adapters.intake_pace import LOOK_S, IntakePace
from coc.primitives.limits_consensus import (
    INTAKE_BYTES_PER_SECOND_MAX,
    INTAKE_BYTES_PER_SECOND_MIN,
    LATE_BLOCK_MS,
)
from coc.primitives.types import PeerId

INTERVAL_S = 1
LATE_S = INTERVAL_S + LATE_BLOCK_MS / 1_000
SECOND_OF_BYTES = INTAKE_BYTES_PER_SECOND_MIN
ALICE, BOB = PeerId(bytes(32)), PeerId(bytes([1] * 32))


class Stage:
    """A pace on a clock of its own, and what was let in with the time of it."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, float]] = []
        self.now_s = 0.0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.pace = IntakePace(self, INTERVAL_S * 1_000)

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._timers, (self.now_s + delay, self._count, callback))

    def offer(self, name: str, size_bytes: int = SECOND_OF_BYTES) -> None:
        self.pace.run(size_bytes, lambda: self.taken.append((name, self.now_s)))

    def hear(self, peer: PeerId, name: str) -> None:
        self.pace.run_for(peer, SECOND_OF_BYTES, lambda: self.taken.append((name, self.now_s)))

    def go_on(self, seconds: float) -> None:
        end = self.now_s + seconds
        while self._timers and self._timers[0][0] <= end:
            self.now_s, _, callback = heapq.heappop(self._timers)
            callback()
        self.now_s = end

    def blocks(self, count: int) -> None:
        for _ in range(count):
            self.go_on(INTERVAL_S)
            self.pace.on_block()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.taken]


@pytest.fixture
def late() -> Stage:
    """A chain whose block is late, and a place for one to go in at once."""
    stage = Stage()
    stage.go_on(LATE_S + 1)
    return stage


def test_nothing_waits_where_blocks_come_in_time() -> None:
    stage = Stage()
    for name in "abc":
        stage.offer(name, 100 * SECOND_OF_BYTES)
    assert stage.taken == [("a", 0), ("b", 0), ("c", 0)]


def test_one_dead_proposer_slows_nothing_down() -> None:
    stage = Stage()
    stage.go_on(LATE_S)
    stage.offer("a")
    stage.offer("b")
    stage.pace.on_block()
    stage.offer("c")
    assert stage.names == ["a", "b", "c"]


def test_while_a_block_is_late_so_many_bytes_a_second_go_in_and_it_never_stops(late: Stage) -> None:
    for name in "abcd":
        late.offer(name)
    assert late.names == ["a"]
    began = late.now_s
    late.go_on(10)
    assert late.names == list("abcd")
    assert [at - began for _, at in late.taken] == pytest.approx([0, 1, 2, 3], abs=3 * LOOK_S)


def test_small_ones_go_in_more_often_than_large_ones(late: Stage) -> None:
    for number in range(9):
        late.offer(str(number), SECOND_OF_BYTES // 4)
    late.go_on(1 + 4 * LOOK_S)
    assert len(late.taken) == 5


def test_after_a_late_block_half_as_much_goes_in_and_with_each_in_time_a_quarter_more() -> None:
    stage = Stage()
    stage.offer("flood", 40 * SECOND_OF_BYTES)
    stage.go_on(5)
    stage.pace.on_block()

    def seconds_of(name: str) -> float:
        """How long one behind another waits, at a pace of four times the least to begin with."""
        stage.offer(f"before {name}", 4 * SECOND_OF_BYTES)
        stage.offer(name, 0)
        began = stage.now_s
        stage.go_on(INTERVAL_S + 2 * LOOK_S)
        return dict(stage.taken)[name] - began

    assert seconds_of("first") == pytest.approx(1, abs=2 * LOOK_S)
    stage.pace.on_block()
    assert seconds_of("second") == pytest.approx(1 / 1.25, abs=2 * LOOK_S)


def test_where_blocks_come_in_time_again_nothing_waits_in_the_end() -> None:
    stage = Stage()
    stage.go_on(LATE_S + 1)
    stage.pace.on_block()
    stage.offer("a")
    stage.offer("b")
    assert stage.names == ["a"]
    doublings = INTAKE_BYTES_PER_SECOND_MAX // INTAKE_BYTES_PER_SECOND_MIN
    stage.blocks(4 * doublings.bit_length())
    for name in "cde":
        stage.offer(name, 100 * SECOND_OF_BYTES)
    assert stage.names == list("abcde")


def test_none_overtakes_those_that_wait(late: Stage) -> None:
    for name in "abc":
        late.offer(name)
    late.offer("small", 1)
    late.go_on(5)
    assert late.names == ["a", "b", "c", "small"]


def test_one_that_hands_in_the_next_while_it_is_taken_waits_once_and_loses_nothing(late: Stage) -> None:
    def take_two() -> None:
        late.taken.append(("outer", late.now_s))
        late.offer("inner", 0)

    late.offer("a")
    late.pace.run(SECOND_OF_BYTES, take_two)
    late.go_on(10)
    assert late.names == ["a", "outer", "inner"]
    late.offer("b")
    late.offer("c")
    late.go_on(10)
    assert late.names[3:] == ["b", "c"]


def test_one_that_fails_does_not_hold_up_those_behind_it(late: Stage) -> None:
    def fail() -> None:
        raise ValueError("it cannot be taken")

    late.offer("a")
    late.pace.run(SECOND_OF_BYTES, fail)
    late.offer("b")
    with pytest.raises(ValueError, match="cannot be taken"):
        late.go_on(10)
    late.go_on(10)
    assert late.names == ["a", "b"]


def test_of_each_peer_one_answer_waits_and_a_second_is_heard_at_once(late: Stage) -> None:
    late.offer("client's")
    late.hear(ALICE, "alice's")
    late.hear(BOB, "bob's")
    late.hear(ALICE, "nobody asked for")
    assert late.names == ["client's", "nobody asked for"]
    late.go_on(10)
    assert late.names[2:] == ["alice's", "bob's"]


def test_what_waits_of_a_peer_that_is_gone_is_not_taken(late: Stage) -> None:
    late.offer("client's")
    late.hear(ALICE, "before")
    late.pace.forget(ALICE)
    late.hear(ALICE, "after")
    late.go_on(3)
    assert late.names == ["client's", "after"]
