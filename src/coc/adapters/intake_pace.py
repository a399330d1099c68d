"""How fast transactions are taken in: at once, unless blocks come late.

Taking transactions in costs every node the same thread on which it agrees on blocks. Where more come than
the machine can carry, agreement waits for its turn, rounds pass their timeouts, and nothing is decided. So
blocks set the pace, as lost packets set that of TCP (RFC 5681): after a late one half as much is taken in a
second as before it, with each that comes in time a quarter more, until the pace is above what any node can
take. What has to wait keeps its order. Intake never stops: a chain that is late for another reason still
takes transactions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final, Protocol

from coc.primitives.limits_consensus import (
    INTAKE_BYTES_PER_SECOND_MAX,
    INTAKE_BYTES_PER_SECOND_MIN,
    LATE_BLOCK_MS,
)
from coc.primitives.types import PeerId

LOOK_S: Final = 0.05
"""Between two looks at whether the next may go in: a fraction of a round."""
SLOWER: Final = 0.5
FASTER: Final = 1.25

Take = Callable[[], None]


class Clock(Protocol):
    """The part of an event loop that is needed."""

    def time(self) -> float:
        """Seconds; only differences count."""
        ...

    def call_later(self, delay: float, callback: Take) -> object:
        """Run it then."""
        ...


class IntakePace:
    """A queue that is empty unless blocks come late."""

    def __init__(self, clock: Clock, interval_ms: int) -> None:
        """Nothing waits; the first block counts from now, and each is due after the interval."""
        self._clock = clock
        self._late_s = (interval_ms + LATE_BLOCK_MS) / 1_000
        self._waiting: deque[tuple[int, Take]] = deque()
        self._of_peers: dict[PeerId, Take] = {}
        self._rate = inf
        """Bytes a second."""
        self._block_s = clock.time()
        self._taken_bytes = 0
        """Since the last block."""
        self._free_at_s = 0.0
        self._is_looking = False
        """Whether a look is to come or under way: there is one at a time."""

    def on_block(self) -> None:
        """The chain goes on."""
        now_s = self._clock.time()
        gap_s = now_s - self._block_s
        if gap_s > self._late_s:
            self._rate = max(INTAKE_BYTES_PER_SECOND_MIN, SLOWER * self._taken_bytes / gap_s)
        elif self._rate < INTAKE_BYTES_PER_SECOND_MAX:
            self._rate *= FASTER
        else:
            self._rate = inf
        self._block_s, self._taken_bytes = now_s, 0

    def run(self, size_bytes: int, take: Take) -> None:
        """Take transactions of so many bytes in: now, or behind those that wait."""
        if not self._waiting and not self._must_wait():
            self._run(size_bytes, take)
            return
        self._waiting.append((size_bytes, take))
        self._look_in(LOOK_S)

    def run_for(self, peer: PeerId, size_bytes: int, take: Take) -> None:
        """Take in what a peer was asked for: until then it is asked for nothing else, so one of each waits.

        Who sends a second answer meanwhile sends what nobody asked for: it is heard at once, and judged.
        """
        if peer in self._of_peers:
            take()
            return

        def take_if_here() -> None:
            if self._of_peers.get(peer) is take:
                del self._of_peers[peer]
                take()

        self._of_peers[peer] = take
        self.run(size_bytes, take_if_here)

    def forget(self, peer: PeerId) -> None:
        """A peer is gone, and what waits of it is answered by others."""
        self._of_peers.pop(peer, None)

    def _look_in(self, seconds: float) -> None:
        if not self._is_looking:
            self._is_looking = True
            self._clock.call_later(seconds, self._look)

    def _look(self) -> None:
        """Let one in when its time has come; the loop serves others between two."""
        try:
            if not self._must_wait():
                self._run(*self._waiting.popleft())  # which may hand in the next one
        finally:
            self._is_looking = False
            if self._waiting:
                self._look_in(LOOK_S if self._must_wait() else 0.0)

    def _run(self, size_bytes: int, take: Take) -> None:
        self._taken_bytes += size_bytes
        self._free_at_s = self._clock.time() + size_bytes / self._rate_now()
        take()

    def _must_wait(self) -> bool:
        return self._clock.time() < self._free_at_s

    def _rate_now(self) -> float:
        is_late = self._clock.time() - self._block_s > self._late_s
        return INTAKE_BYTES_PER_SECOND_MIN if is_late else self._rate
