"""The seeded network that runs machines alone, on virtual time.

It shows that a machine agrees and goes on under faults: loss, duplication, reordering, delay, partitions,
crashes, skewed clocks, liars. It is not the whole node, which runs in `coc.sim.full`: blocks are empty names,
and the write-ahead log, signer and executor are fakes.

One heap of events in order of time; everything random comes from one generator, so a seed is a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Generic, Protocol, TypeVar

from coc.primitives.types import Address, PeerId
from coc.sim.machines.campaign import Violation
from coc.sim.machines.node import MachineNode

EVENTS_MAX = 1_000_000
"""Events of one stretch of a run, some twenty times a usual one: a machine that spins ends the run."""
STARTS_MS = 300
"""Time within which all nodes start for the first time."""

Node = TypeVar("Node", bound=MachineNode[Any, Any])


class Faults(Protocol):
    """What a plan says of the network. Probabilities are per message (`crashes`: per effect)."""

    @property
    def duplication(self) -> float:
        """Of a second copy."""
        ...

    @property
    def spikes(self) -> float:
        """Of a delay up to `spike_ms` instead of `delay_ms`."""
        ...

    @property
    def crashes(self) -> float:
        """Of a crash."""
        ...

    @property
    def delay_ms(self) -> int:
        """The longest usual delay."""
        ...

    @property
    def spike_ms(self) -> int:
        """The longest delay."""
        ...

    @property
    def healed_delay_ms(self) -> int:
        """The longest delay once all faults have ended."""
        ...

    def loss_of(self, kind: str, /) -> float:
        """Of loss, for a kind of message."""
        ...

    def is_cut(self, now_ms: int, sender: int, receiver: int, /) -> bool:
        """Whether the link between two positions is cut now."""
        ...

    def downtime_ms(self, dice: Random, /) -> int:
        """How long a crashed node stays away."""
        ...


class MachineNetwork(Generic[Node]):
    """The nodes of a run and everything between them. Times in milliseconds, from `start_ms` on."""

    def __init__(self, faults: Faults, seed: int, start_ms: int = 0) -> None:
        """A network without nodes."""
        self.faults = faults
        self.dice = Random(seed)  # noqa: S311 - a run must be repeatable, not secret
        self.start_ms = start_ms
        self.now_ms = start_ms
        self.nodes: list[Node] = []
        self.lines: list[str] = []
        self.is_healed = False
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order: Iterator[int] = count()
        self._by_peer: dict[bytes, Node] = {}

    def add(self, node: Node) -> None:
        """Take a node in."""
        self.nodes.append(node)
        self._by_peer[node.peer] = node

    # ── Time ────────────────────────────────────────────────────────────────────────────────────────────────

    def start_all(self) -> None:
        """Start every node, one a little later than another."""
        for node in self.nodes:
            self.after(self.dice.randint(0, STARTS_MS), node.start)

    def heal_at(self, end_ms: int) -> None:
        """Let faults happen up to this time, and end them; who is down comes back by itself."""
        self.run_until(end_ms)
        self.is_healed = True

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Do something later."""
        heappush(self._queue, (self.now_ms + delay_ms, next(self._order), action))

    def run_until(self, end_ms: int, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass; True if the condition came true before the end.

        Raises:
            Violation: time does not pass any more.
        """
        for _ in range(EVENTS_MAX):
            if is_done():
                return True
            if not self._queue or self._queue[0][0] > end_ms:
                self.now_ms = end_ms
                return False
            self.now_ms, _order, action = heappop(self._queue)
            action()
        raise Violation("events: the run does not end")

    # ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, sender: Node, receiver: Node, deliver: Callable[[], None], kind: str = "") -> None:
        """Carry something over the link, if the link lets it through; `kind` may have a loss of its own."""
        faults, dice = self.faults, self.dice
        if self.is_healed:
            self.after(dice.randint(1, faults.healed_delay_ms), deliver)
            return
        if faults.is_cut(self.now_ms, sender.position, receiver.position):
            return
        copies = 2 if dice.random() < faults.duplication else 1
        for _ in range(copies):
            if dice.random() < faults.loss_of(kind):
                continue
            slow = dice.random() < faults.spikes
            self.after(dice.randint(1, faults.spike_ms if slow else faults.delay_ms), deliver)

    def crashes_now(self) -> bool:
        """Whether lightning strikes between these two effects."""
        return not self.is_healed and self.faults.crashes > 0 and self.dice.random() < self.faults.crashes

    # ── Who is there, and what happened ─────────────────────────────────────────────────────────────────────

    def others(self, node: Node) -> list[Node]:
        """Everybody but one."""
        return [other for other in self.nodes if other is not node]

    def node_of(self, peer: PeerId | Address) -> Node:
        """The node behind an identity."""
        return self._by_peer[peer]

    def honest(self) -> list[Node]:
        """The nodes that follow the protocol."""
        return [node for node in self.nodes if node.is_honest]

    def story(self, node: Node, what: str) -> None:
        """One line of what happened, for a person and for the digest of the run."""
        self.lines.append(f"{self.now_ms - self.start_ms:>7} node {self.nodes.index(node)}: {what}")

    def digest(self) -> str:
        """A hash over the whole story."""
        return blake2b("\n".join(self.lines).encode(), digest_size=16).hexdigest()
