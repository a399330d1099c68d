"""The head moves: what is chosen, what has become final, and what is no longer needed (ROT-21 to ROT-23)."""

from __future__ import annotations

from coc.consensus.fork_choice.tree import TreeBlock
from coc.consensus.rotation.effects import Effect, MoveHead
from coc.consensus.rotation.finality import settled
from coc.consensus.rotation.state import Core
from coc.primitives.types import Hash32


def choose(core: Core) -> list[Effect]:
    """Ask for the tags of the chain, if they are others than before."""
    tree = core.tree
    tags = settled(core.setup.rules, tree.head)
    safe, final = _safe(core, tags.safe), tags.final.hash
    for gone in tree.make_final(final):
        core.seals.pop(gone, None)
    wanted = (tree.head.hash, safe, final)
    if wanted == core.told:
        return []
    if core.told is not None and core.told[2] != final:
        _forget_late(core)
    core.told = wanted
    return [MoveHead(*wanted)]


def _safe(core: Core, counted: TreeBlock) -> Hash32:
    """What was safe stays safe on every branch that has it, however few have signed that one (ROT-22)."""
    told = None if core.told is None else core.tree.get(core.told[1])
    if told is None or told.height <= counted.height or not core.tree.is_on_branch(told.hash, core.tree.head):
        return counted.hash
    return told.hash


def _forget_late(core: Core) -> None:
    """Drop blocks on their way that are not above the final one."""
    root = core.tree.root
    late = [block for block, each in core.pending.items() if each.seal.height <= root.height]
    for block in late:
        del core.pending[block]
