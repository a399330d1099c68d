"""Flushing: one at a time when enough came together; after it the copier works in slices, and can stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from coc._native import Chain
from coc.adapters.flushing import COPY, COPY_NODES_MAX, FLUSH, Flusher
from coc.adapters.telemetry import Telemetry
from coc.adapters.workers import Workers


class GrowingChain:
    """A chain whose flush is always due, and whose copier has so many slices of work after each."""

    def __init__(self, slices: int, *, failing: str = "") -> None:
        self.calls: list[str] = []
        self.slices = slices
        self.failing = failing
        self.on_slice: Callable[[], None] = lambda: None

    def flush_is_due(self) -> bool:
        return True

    def flush(self) -> None:
        self._called(FLUSH)

    def copy_some(self, nodes_max: int) -> bool:
        assert nodes_max == COPY_NODES_MAX
        self._called(COPY)
        self.on_slice()
        self.slices -= 1
        return self.slices > 0

    def _called(self, what: str) -> None:
        self.calls.append(what)
        if what == self.failing:
            raise OSError(f"no space for the {what}")


class Told:
    """What telemetry was told."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self.well: set[str] = set()

    def problem(self, part: str, sentence: str) -> None:
        self.problems.append((part, sentence))

    def recovered(self, part: str) -> None:
        self.well.add(part)


class Thread:
    """Workers with one thread that works when it is told to."""

    def __init__(self) -> None:
        self.is_draining = False
        self._waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []

    def run(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self._waiting.append((work, then))

    def work_off(self) -> None:
        while self._waiting:
            work, then = self._waiting.pop(0)
            try:
                result = work()
            except OSError as error:
                result = error
            then(result)


def flushed(chain: GrowingChain) -> tuple[Flusher, Told]:
    """What became of one flush and all that it led to."""
    thread, told = Thread(), Told()
    flusher = Flusher(cast("Chain", chain), cast("Workers", thread), cast("Telemetry", told))
    flusher.flush_if_due()
    flusher.flush_if_due()
    thread.work_off()
    return flusher, told


def test_one_flush_runs_at_a_time_and_the_copier_after_it_until_nothing_is_left() -> None:
    chain = GrowingChain(slices=3)
    flusher, told = flushed(chain)
    assert chain.calls == [FLUSH, COPY, COPY, COPY]
    assert not flusher.has_failed
    assert (told.problems, told.well) == ([], {FLUSH, COPY})


def test_nothing_is_copied_after_a_flush_that_failed() -> None:
    chain = GrowingChain(slices=3, failing=FLUSH)
    flusher, told = flushed(chain)
    assert chain.calls == [FLUSH]
    assert flusher.has_failed
    assert [part for part, _ in told.problems] == [FLUSH]


def test_a_copier_that_fails_is_told_of_and_holds_no_block_up() -> None:
    chain = GrowingChain(slices=3, failing=COPY)
    flusher, told = flushed(chain)
    assert chain.calls == [FLUSH, COPY]
    assert not flusher.has_failed
    assert told.problems == [(COPY, "old states cannot be given up: no space for the copier")]


def test_a_node_that_ends_does_not_wait_for_the_copier() -> None:
    chain, thread = GrowingChain(slices=10**9), Thread()
    flusher = Flusher(cast("Chain", chain), cast("Workers", thread), cast("Telemetry", Told()))

    def stop() -> None:
        thread.is_draining = len(chain.calls) == 5

    chain.on_slice = stop
    flusher.flush_if_due()
    thread.work_off()
    assert chain.calls == [FLUSH, COPY, COPY, COPY, COPY]
    flusher.flush_if_due()
    thread.work_off()
    assert chain.calls[5:] == [FLUSH]
