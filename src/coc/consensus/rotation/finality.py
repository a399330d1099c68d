"""Which blocks of the head's branch are safe and which are final (ROT-21, ROT-22)."""

from __future__ import annotations

from coc.consensus.fork_choice.tree import TreeBlock
from coc.consensus.rotation.rules import NetworkRules
from coc.primitives.frozen import frozen


@frozen
class Settled:
    """The newest safe and the newest final block of a branch."""

    safe: TreeBlock
    final: TreeBlock


def settled(rules: NetworkRules, head: TreeBlock) -> Settled:
    """Walk from the head towards the root, counting who signed; the root is final already."""
    size = len(rules.slots.validators.validators)
    signers: set[int] = set()
    safe: TreeBlock | None = None
    at = head
    for at in head.ancestors():
        if has_quorum(rules, len(signers)):
            safe = safe or at
            if is_deep(rules, head, at):
                return Settled(safe, at)
        signers.add(at.slot % size)
    return Settled(safe or at, at)


def has_quorum(rules: NetworkRules, signers: int) -> bool:
    """Whether so many are more than two thirds of the set."""
    return signers >= rules.quorum


def is_deep(rules: NetworkRules, head: TreeBlock, block: TreeBlock) -> bool:
    """Whether enough blocks stand on a block."""
    return head.height - block.height >= rules.final_depth


def may_build(rules: NetworkRules, head: TreeBlock, slot: int, blocks_max: int) -> bool:
    """Whether a slot's proposer may build on a head: not where it adds nothing to a long branch (ROT-13)."""
    size = len(rules.slots.validators.validators)
    *above, root = head.ancestors()
    is_short = head.height - root.height < blocks_max
    return is_short or all(block.slot % size != slot % size for block in above)
