"""What a node calls final stays on its chain, in all its lives, and is durable before anybody is told."""

from __future__ import annotations

from coc.consensus.rotation.messages import Message, Status
from coc.node.rotation.inputs import TagsMoved
from coc.node.rotation.tags import decode_tags
from coc.primitives.types import Hash32
from coc.sim.full.plan import Forgets
from coc.sim.full.watching import Violation
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Checker


class NothingFinalIsTakenBack(Checker):
    """Final blocks rise along the chain; the safe one lies between the final one and the head (ROT-23)."""

    def __init__(self) -> None:
        """Nobody has a final block."""
        self.newest: dict[int, tuple[int, bytes]] = {}

    def on_start(self, node: SimRotationNode) -> None:
        """The chain stands on what was final before."""
        self._check(node, "stands beside", node.chain.finalized.number)

    def on_end(self, node: SimRotationNode, forgets: Forgets) -> None:
        """Whose chain is gone has nothing left to stand on."""
        if forgets is Forgets.CHAIN:
            self.newest.pop(node.position, None)

    def on_moved(self, node: SimRotationNode, moved: TagsMoved) -> None:
        """The final block is durable, at least as high as before, and on the branch of the head."""
        payload, tags = node.tags.payload, moved.tags
        if not payload or decode_tags(payload) != tags:
            raise Violation(f"tags: node {node.position} moved without writing its tags")
        names = [Hash32(each.hash) for each in (node.chain.head, node.chain.safe, node.chain.finalized)]
        if names != [tags.head, tags.safe, tags.final]:
            raise Violation(f"tags: node {node.position} wrote other tags than its chain has")
        head, safe, final = node.chain.head, node.chain.safe, node.chain.finalized
        heights = [final.number, safe.number, head.number]
        is_one_branch = all(
            node.chain.canonical_hash(each.number) == each.hash for each in (head, safe, final)
        )
        if heights != sorted(heights) or not is_one_branch:
            raise Violation(f"tags: node {node.position} has tags of several branches")
        self._check(node, "took back", final.number)
        self.newest[node.position] = (final.number, final.hash)

    def on_message(self, node: SimRotationNode, message: Message) -> None:
        """Peers hear of no final block that a power cut could take back."""
        if isinstance(message, Status) and message.final > node.chain.finalized.number:
            raise Violation(
                f"told: node {node.position} says that {message.final} is final before it is written down"
            )

    def _check(self, node: SimRotationNode, what: str, final: int) -> None:
        height, block = self.newest.get(node.position, (0, b""))
        if block and (final < height or node.chain.canonical_hash(height) != block):
            raise Violation(f"finality: node {node.position} {what} its final block {height}")
