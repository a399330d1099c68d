"""The seeded network that runs BFT machines alone, on virtual time.

It shows that the machine agrees and goes on under faults: loss, duplication, reordering, delay, partitions,
crashes, skewed clocks, liars. It is not the whole node: blocks are empty names, and the write-ahead log,
signer and executor are fakes. The simulator of the full node is still owed (docs/roadmap.md).

One heap of events in order of time; everything random comes from one generator, so a seed is a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random

from coc.consensus.bft.inputs import PeerId
from coc.consensus.bft.rules import BftRules
from coc.primitives.types import Address, Hash32
from coc.primitives.validators import ValidatorSet
from coc.sim.bft_checkers import Watch
from coc.sim.bft_disk import SimBlock
from coc.sim.bft_liars import node_class
from coc.sim.bft_node import SimNode
from coc.sim.bft_plan import Plan

EVENTS_MAX = 600_000
"""Events of one run: some twenty times a usual one, so that a machine that spins ends the run."""


@dataclass(slots=True)
class Network:
    """The nodes of a run and everything between them. Times in milliseconds."""

    plan: Plan
    dice: Random
    rules: BftRules
    validators: ValidatorSet
    now_ms: int = 0
    nodes: list[SimNode] = field(default_factory=list)
    blocks: dict[Hash32, SimBlock] = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)
    lines: list[str] = field(default_factory=list)
    is_healed: bool = False
    _queue: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _by_peer: dict[bytes, SimNode] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> Network:
        """A network with its nodes, none of them started."""
        dice = Random(plan.seed)  # noqa: S311 - a run must be repeatable, not secret
        network = cls(plan, dice, plan.rules(), plan.validators())
        for position in range(plan.size):
            node = node_class(plan, position)(network, position, plan.skews_ms[position])
            network.nodes.append(node)
            network._by_peer[node.peer] = node
        return network

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Do something later."""
        heappush(self._queue, (self.now_ms + delay_ms, next(self._order), action))

    def run_until(self, end_ms: int, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass; True if the condition came true before the end."""
        for _ in range(EVENTS_MAX):
            if is_done():
                return True
            if not self._queue or self._queue[0][0] > end_ms:
                self.now_ms = end_ms
                return False
            self.now_ms, _order, action = heappop(self._queue)
            action()
        return False

    def send(self, sender: SimNode, receiver: SimNode, deliver: Callable[[], None], kind: str = "") -> None:
        """Carry something over the link, if the link lets it through; `kind` is what `dislikes` may name."""
        plan, dice = self.plan, self.dice
        if self.is_healed:
            self.after(dice.randint(1, plan.delay_ms), deliver)
            return
        if plan.is_cut(self.now_ms, sender.position, receiver.position):
            return
        copies = 2 if dice.random() < plan.duplication else 1
        for _ in range(copies):
            if dice.random() < plan.loss_of(kind):
                continue
            slow = dice.random() < plan.spikes
            self.after(dice.randint(1, plan.spike_ms if slow else plan.delay_ms), deliver)

    def crashes_now(self) -> bool:
        """Whether lightning strikes between these two effects."""
        return not self.is_healed and self.plan.crashes > 0 and self.dice.random() < self.plan.crashes

    def kill_all(self) -> None:
        """Kill every honest node that is up, at once."""
        if not self.is_healed:
            for node in self.honest():
                if node.is_up:
                    node.crash()

    def others(self, node: SimNode) -> list[SimNode]:
        """Everybody but one."""
        return [other for other in self.nodes if other is not node]

    def node_of(self, peer: PeerId | Address) -> SimNode:
        """The node behind an identity."""
        return self._by_peer[peer]

    def honest(self) -> list[SimNode]:
        """The nodes that follow the protocol."""
        return [node for node in self.nodes if node.is_honest]

    def story(self, node: SimNode, what: str) -> None:
        """One line of what happened, for a person and for the digest of the run."""
        self.lines.append(f"{self.now_ms:>7} node {node.position}: {what}")
