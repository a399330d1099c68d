"""The course of a run of whole nodes of any engine: all start, faults come as planned, all faults end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from coc.sim.full.plan import Crash
from coc.sim.full.world import World
from coc.sim.life import NodeLife

STARTS_MS = 200
"""Within which all nodes start for the first time."""


def begin(world: World, nodes: Sequence[NodeLife[Any]]) -> None:
    """Let all nodes start, and crashes and full disks come when the plan says."""
    for node in nodes:
        world.after(world.dice.randint(0, STARTS_MS), node.start)
    for crash in world.plan.crashes:
        node = nodes[crash.node]
        world.after(crash.at_ms, _crashing(node, crash))
        world.after(crash.at_ms + crash.downtime_ms, node.start)
    for full in world.plan.full_disks:
        node = nodes[full.node]
        world.after(full.begin_ms, _limiting(node, 0))
        world.after(full.end_ms, _limiting(node, None))


def heal(world: World, nodes: Sequence[NodeLife[Any]]) -> None:
    """End all faults; who is down comes back."""
    world.is_healed = True
    for node in nodes:
        _limiting(node, None)()
        node.start()


def _crashing(node: NodeLife[Any], crash: Crash) -> Callable[[], None]:
    def act() -> None:
        if not node.world.is_healed:
            node.crash(is_power_cut=crash.is_power_cut, forgets=crash.forgets)

    return act


def _limiting(node: NodeLife[Any], bytes_max: int | None) -> Callable[[], None]:
    def act() -> None:
        for disk in node.disks:
            disk.limit_bytes(bytes_max)

    return act
