"""What a node has decided is there in its next life, and its head never goes back."""

from __future__ import annotations

from coc.primitives.votes import CommitCertificate
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Checker, Violation


class NothingFinalIsLost(Checker):
    """A decision is durable before it is acted on."""

    def __init__(self) -> None:
        """Nobody has decided anything."""
        self.newest: dict[int, tuple[int, bytes]] = {}

    def on_decided(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """Heights rise by one."""
        before, _ = self.newest.get(node.position, (0, b""))
        if certificate.height != before + 1:
            raise Violation(f"finality: node {node.position} decides {certificate.height} after {before}")
        head = node.chain.head
        if head.hash != certificate.block or node.chain.finalized.hash != certificate.block:
            raise Violation(f"finality: node {node.position} decided a block that is not its final head")
        self.newest[node.position] = (certificate.height, certificate.block)

    def on_adopted(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """What was adopted is durable too."""
        self.newest[node.position] = (certificate.height, certificate.block)

    def on_wiped(self, node: SimValidator) -> None:
        """It has nothing left to lose, and begins again."""
        self.newest.pop(node.position, None)

    def on_start(self, node: SimValidator) -> None:
        """The chain on disk holds what was decided."""
        height, block = self.newest.get(node.position, (0, b""))
        if block and node.chain.canonical_hash(height) != block:
            raise Violation(f"finality: node {node.position} lost block {height} that it had decided")
        head = node.chain.head
        self.newest[node.position] = (head.number, head.hash)
