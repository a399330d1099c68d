"""The nodes of a run and everything between them, on virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random

from coc.consensus.rotation.rules import NetworkRules
from coc.primitives.types import PeerId
from coc.sim.bft_checkers import Violation
from coc.sim.rotation.checkers import Watch
from coc.sim.rotation.liars import CLASSES
from coc.sim.rotation.node import SimNode
from coc.sim.rotation.plan import START_MS, Plan

EVENTS_MAX = 1_000_000
"""Events of one run: some twenty times a usual one, so that a machine that spins ends the run."""


@dataclass(slots=True)
class Network:
    """Times in milliseconds."""

    plan: Plan
    dice: Random
    rules: NetworkRules
    watch: Watch
    now_ms: int = START_MS
    nodes: list[SimNode] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    is_healed: bool = False
    _queue: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _by_peer: dict[PeerId, SimNode] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> Network:
        """A network with its nodes, none of them started; the liar is the last validator."""
        rules = plan.rules()
        network = cls(plan, Random(plan.seed), rules, Watch(rules))  # noqa: S311 - must be repeatable, not secret
        skews = plan.skews_ms or (0,) * (plan.size + 1)
        last = plan.size - 1
        for position in range(plan.size):
            made = CLASSES[plan.liar] if plan.liar and position == last else SimNode
            network.add(made(network, position, skews[position]))
        if plan.liar == "twin":
            network.add(CLASSES["twin"](network, last, skews[plan.size]))
        if plan.has_shared_signer:
            network.nodes[last].shares_signer = True
            network.add(SimNode(network, last, skews[plan.size], network.nodes[last].signer))
        return network

    def add(self, node: SimNode) -> None:
        """Take a node in."""
        self.nodes.append(node)
        self._by_peer[node.peer] = node

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
        raise Violation("events: the run does not end")

    def send(self, sender: SimNode, receiver: SimNode, deliver: Callable[[], None]) -> None:
        """Carry something over the link, if the link lets it through."""
        plan, dice = self.plan, self.dice
        if self.is_healed:
            self.after(dice.randint(1, 80), deliver)
            return
        if plan.is_cut(self.now_ms, sender.position, receiver.position):
            return
        for _ in range(2 if dice.random() < plan.duplication else 1):
            if dice.random() >= plan.loss:
                slow = dice.random() < plan.spikes
                self.after(dice.randint(1, plan.spike_ms if slow else plan.delay_ms), deliver)

    def crashes_now(self) -> bool:
        """Whether lightning strikes between these two effects."""
        return not self.is_healed and self.plan.crashes > 0 and self.dice.random() < self.plan.crashes

    def others(self, node: SimNode) -> list[SimNode]:
        """Everybody but one."""
        return [other for other in self.nodes if other is not node]

    def node_of(self, peer: PeerId) -> SimNode:
        """The node behind an identity."""
        return self._by_peer[peer]

    def honest(self) -> list[SimNode]:
        """The nodes that follow the protocol."""
        return [node for node in self.nodes if node.is_honest]

    def on_accused(self, peer: PeerId, reason: str) -> None:
        """ROT-26: nobody honest is ever reported."""
        if self._by_peer[peer].is_honest:
            raise Violation(f"accused: an honest node was reported for {reason}")

    def story(self, node: SimNode, what: str) -> None:
        """One line of what happened, for a person and for the digest of the run."""
        self.lines.append(f"{self.now_ms - START_MS:>7} node {self.nodes.index(node)}: {what}")
