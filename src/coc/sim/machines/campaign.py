"""The course of a run, whatever the engine: faults for a while, then none; and many runs by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Violation(AssertionError):
    """A run broke an invariant; the first word names it."""


def failing_seeds(seeds: Iterable[int], run: Callable[[int], object]) -> list[tuple[int, str]]:
    """The seeds that break an invariant, each with what it breaks."""
    found = []
    for seed in seeds:
        try:
            run(seed)
        except Violation as broken:
            found.append((seed, str(broken)))
    return found
