"""BFT validators on the network of machines, and what is watched there."""

from __future__ import annotations

from coc.primitives.types import Hash32
from coc.sim.bft_checkers import Watch
from coc.sim.bft_disk import SimBlock
from coc.sim.bft_liars import node_class
from coc.sim.bft_node import SimNode
from coc.sim.bft_plan import Plan
from coc.sim.machines.network import MachineNetwork


class Network(MachineNetwork[SimNode]):
    """`blocks` are all that were ever made."""

    def __init__(self, plan: Plan) -> None:
        """A network with its nodes, none of them started."""
        super().__init__(plan, plan.seed)
        self.plan = plan
        self.rules = plan.rules()
        self.validators = plan.validators()
        self.blocks: dict[Hash32, SimBlock] = {}
        self.watch = Watch()
        for position in range(plan.size):
            self.add(node_class(plan, position)(self, position, plan.skews_ms[position]))

    def kill_all(self) -> None:
        """Kill every honest node that is up, at once."""
        if not self.is_healed:
            for node in self.honest():
                if node.is_up:
                    node.crash()
