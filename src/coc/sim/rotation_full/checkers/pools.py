"""The pool goes with the head, and what was acknowledged is in the chain or still waits."""

from __future__ import annotations

from coc.node.rotation.inputs import TagsMoved
from coc.primitives.types import Hash32
from coc.sim.full.plan import Forgets
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class PoolStandsOnTheHead(Checker):
    """A pool on another block than the head promises and offers what the head makes void."""

    def on_pool_moved(self, node: SimRotationNode, moved: TagsMoved) -> None:
        """The pool stands where the chain was moved to, and holds nothing that stands in it."""
        pool = node.node.pool
        if pool.head.hash != moved.tags.head:
            raise Violation(f"pool: node {node.position} has a pool that stands on another block")
        for name in moved.included:
            waiting = pool.view.get(name)
            if waiting is not None and waiting.sender in moved.changed:
                raise Violation(f"pool: node {node.position} keeps a transaction that a block has taken")


class PromisesAreKept(Checker):
    """Remembers what each node has acknowledged; whoever loses power is held to what its journal kept."""

    def __init__(self) -> None:
        """Nothing is promised."""
        self.promised: dict[int, dict[Hash32, None]] = {}

    def on_acknowledged(self, node: SimRotationNode, transaction: Hash32) -> None:
        """A client was told that its transaction is taken."""
        self.promised.setdefault(node.position, {})[transaction] = None
        if transaction not in node.journal.hashes:
            raise Violation(f"promise: node {node.position} acknowledges what its journal has not")

    def on_end(self, node: SimRotationNode, forgets: Forgets) -> None:
        """A power cut may take what was not yet durable, and the loss of the whole folder everything."""
        held = {} if forgets is Forgets.CHAIN else self.promised.get(node.position, {})
        kept = node.journal.hashes
        still = [name for name in held if name in kept or _is_in_chain(node, name)]
        self.promised[node.position] = dict.fromkeys(still)

    def broken(self, node: SimRotationNode) -> list[Hash32]:
        """What a node has acknowledged and neither has in its chain nor keeps in its pool."""
        view = node.node.pool.view
        return [
            name
            for name in self.promised.get(node.position, {})
            if view.get(name) is None and not _is_in_chain(node, name)
        ]


def _is_in_chain(node: SimRotationNode, transaction: Hash32) -> bool:
    return node.chain.find_transaction(transaction) is not None
