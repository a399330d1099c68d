"""Virtual time, and the links between simulated nodes: one heap of events in order of time.

Everything random comes from the run's one generator, and nothing iterates over a set, so a seed is a run, to
the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from random import Random

from coc.sim.full.plan import Plan

EVENTS_MAX = 2_000_000
"""Events of one run: some fifty times a usual one, so that a node that spins ends the run."""

HELD_UP_STEP_MS = 100
"""How finely the end of a partition is looked for."""

BASE_MS = 1_700_000_000_000
"""What a right clock shows at the beginning: a time in 2023, later than any genesis of a run."""


class Dice(Random):
    """The run's one generator."""

    def between(self, low: int, high: int) -> int:
        """What `randint` draws, at a third of its price: every message and every fsync asks for one."""
        width = high - low + 1
        bits = width.bit_length()
        drawn = self.getrandbits(bits)
        while drawn >= width:
            drawn = self.getrandbits(bits)
        return low + drawn


@dataclass(slots=True)
class World:
    """Time, chance and links of one run. `now_ms` begins at 0; a node's clock adds `BASE_MS` and its skew."""

    plan: Plan
    dice: Dice
    now_ms: int = 0
    is_healed: bool = False
    lines: list[str] = field(default_factory=list)
    messages: int = 0
    message_bytes: int = 0
    _queue: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    @classmethod
    def of(cls, plan: Plan) -> World:
        """A world before its first event."""
        return cls(plan, Dice(plan.seed))

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Do something later."""
        at_ms = self.now_ms + delay_ms if delay_ms > 0 else self.now_ms
        heappush(self._queue, (at_ms, next(self._order), action))

    def run_until(self, end_ms: int, is_done: Callable[[], bool] | None = None) -> bool:
        """Let time pass; True if the condition came true before the end."""
        queue = self._queue
        for _ in range(EVENTS_MAX):
            if is_done is not None and is_done():
                return True
            if not queue or queue[0][0] > end_ms:
                self.now_ms = end_ms
                return is_done is not None and is_done()
            self.now_ms, _, action = heappop(queue)
            action()
        return False

    def carry(self, link: tuple[int, int], size: int, deliver: Callable[[], None]) -> None:
        """Carry a message from one node to another, if the link lets it through."""
        plan, dice = self.plan, self.dice
        self.messages += 1
        self.message_bytes += size
        if self.is_healed:
            self.after(dice.between(1, plan.delay_ms), deliver)
            return
        if plan.cuts and plan.is_cut(self.now_ms, *link):
            return
        copies = 2 if dice.random() < plan.duplication else 1
        for _ in range(copies):
            if dice.random() >= plan.loss:
                self.after(self._delay_ms(), deliver)

    def carry_in_stream(self, link: tuple[int, int], size: int, deliver: Callable[[], None]) -> None:
        """Carry a message of a protocol that relies on its stream: late, even very late, but once.

        A real stream loses and repeats nothing; what a partition holds up arrives when it ends.
        """
        self.messages += 1
        self.message_bytes += size
        held_ms = 0
        while not self.is_healed and self.plan.is_cut(self.now_ms + held_ms, *link):
            held_ms += HELD_UP_STEP_MS
        self.after(held_ms + self._delay_ms(), deliver)

    def _delay_ms(self) -> int:
        is_slow = not self.is_healed and self.dice.random() < self.plan.spikes
        return self.dice.between(1, self.plan.spike_ms if is_slow else self.plan.delay_ms)

    def tell(self, node: int, what: str) -> None:
        """One line of the story, for a person and for the digest of the run."""
        self.lines.append(f"{self.now_ms / 1000:>9.3f} s  node {node}  {what}")

    def digest(self) -> str:
        """A hash over the whole story."""
        return blake2b("\n".join(self.lines).encode(), digest_size=16).hexdigest()
