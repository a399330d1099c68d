"""Rotation nodes on the network of machines, and what is watched there."""

from __future__ import annotations

from coc.primitives.types import PeerId
from coc.sim.machines.campaign import Violation
from coc.sim.machines.network import MachineNetwork
from coc.sim.rotation.checkers import Watch
from coc.sim.rotation.liars import CLASSES
from coc.sim.rotation.node import SimNode
from coc.sim.rotation.plan import START_MS, Plan


class Network(MachineNetwork[SimNode]):
    """The liar, or whoever runs twice, is the last validator."""

    def __init__(self, plan: Plan) -> None:
        """A network with its nodes, none of them started."""
        super().__init__(plan, plan.seed, START_MS)
        self.plan = plan
        self.rules = plan.rules()
        self.watch = Watch(self.rules)
        skews = plan.skews_ms or (0,) * (plan.size + 1)
        last = plan.size - 1
        for position in range(plan.size):
            made = CLASSES[plan.liar] if plan.liar and position == last else SimNode
            self.add(made(self, position, skews[position]))
        if plan.liar == "twin":
            self.add(CLASSES["twin"](self, last, skews[plan.size]))
        if plan.has_shared_signer:
            self.nodes[last].shares_signer = True
            self.add(SimNode(self, last, skews[plan.size], self.nodes[last].signer))

    def on_accused(self, peer: PeerId, reason: str) -> None:
        """ROT-26: nobody honest is ever reported."""
        if self.node_of(peer).is_honest:
            raise Violation(f"accused: an honest node was reported for {reason}")
