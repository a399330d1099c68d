"""Who sees everything: passes what happens to the checkers, each of which knows one invariant.

A broken invariant raises `Violation` at the moment it breaks; the last lines of the story then say how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coc.consensus.rotation.evidence import DoubleSeal
from coc.consensus.rotation.messages import Message, decode_message
from coc.node.rotation.effects import RecordBlock
from coc.node.rotation.inputs import TagsMoved
from coc.node.validator.effects import Alarm, Misbehaved, WriteAhead
from coc.node.validator.signer import SigningRefused
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32
from coc.sim.full.plan import Forgets
from coc.wire import kinds

if TYPE_CHECKING:
    from coc.sim.rotation_full.node import SimRotationNode


class Checker:
    """What a checker may look at; each overrides what its invariant speaks of."""

    def on_start(self, node: SimRotationNode) -> None:
        """A node stands on its tags."""

    def on_end(self, node: SimRotationNode, forgets: Forgets) -> None:
        """A node ends now: its journal is what is left of it, its disks still answer."""

    def on_written(self, node: SimRotationNode, effect: WriteAhead) -> None:
        """Records of a node are durable."""

    def on_signed(self, node: SimRotationNode, request: SignRequest) -> None:
        """A node's signer has signed."""

    def on_refused(self, node: SimRotationNode, request: SignRequest, error: SigningRefused) -> None:
        """A signer has refused its node."""

    def on_recorded(self, node: SimRotationNode, wish: RecordBlock) -> None:
        """A block is in a node's log."""

    def on_moved(self, node: SimRotationNode, moved: TagsMoved) -> None:
        """A node's chain has new tags."""

    def on_pool_moved(self, node: SimRotationNode, moved: TagsMoved) -> None:
        """A node's pool was told of them."""

    def on_message(self, node: SimRotationNode, message: Message) -> None:
        """A node sends a consensus message."""

    def on_acknowledged(self, node: SimRotationNode, transaction: Hash32) -> None:
        """A node has promised a client to keep a transaction."""

    def on_accused(self, node: SimRotationNode, effect: Misbehaved) -> None:
        """A node accuses a peer."""

    def on_evidence(self, node: SimRotationNode, evidence: DoubleSeal) -> None:
        """A node has evidence of double signing."""


class Watch:
    """Passes on to all checkers, and keeps the story."""

    def __init__(self, checkers: tuple[Checker, ...]) -> None:
        """`checkers` are asked in this order."""
        self.checkers = checkers
        self.reorganisations = 0

    def on_start(self, node: SimRotationNode) -> None:
        """A node stands on its tags."""
        head, final = node.chain.head, node.chain.finalized
        node.world.tell(
            node.position, f"starts at {head.number} = {head.hash.hex()[:8]}, {final.number} final"
        )
        for checker in self.checkers:
            checker.on_start(node)

    def on_end(self, node: SimRotationNode, forgets: Forgets) -> None:
        """A node ends now."""
        for checker in self.checkers:
            checker.on_end(node, forgets)

    def on_written(self, node: SimRotationNode, effect: WriteAhead) -> None:
        """Records of a node are durable."""
        for checker in self.checkers:
            checker.on_written(node, effect)

    def on_signed(self, node: SimRotationNode, request: SignRequest) -> None:
        """A node's signer has signed."""
        name = "" if request.block is None else request.block.hex()[:8]
        node.world.tell(node.position, f"signs {request.height} = {name} for slot {request.round}")
        for checker in self.checkers:
            checker.on_signed(node, request)

    def on_refused(self, node: SimRotationNode, request: SignRequest, error: SigningRefused) -> None:
        """A signer has refused its node."""
        node.world.tell(node.position, f"is refused by its signer: {error.why}")
        for checker in self.checkers:
            checker.on_refused(node, request, error)

    def on_recorded(self, node: SimRotationNode, wish: RecordBlock) -> None:
        """A block is in a node's log."""
        for checker in self.checkers:
            checker.on_recorded(node, wish)

    def on_moved(self, node: SimRotationNode, old: Hash32, moved: TagsMoved) -> None:
        """A node's chain has new tags; its head was `old`."""
        head, final, left = node.chain.head, node.chain.finalized, node.chain.header(old)
        is_taken_back = left is not None and node.chain.canonical_hash(left.number) != old
        self.reorganisations += is_taken_back
        what = "leaves a branch for" if is_taken_back else "moves to"
        name = head.hash.hex()[:8]
        node.world.tell(node.position, f"{what} {head.number} = {name}, {final.number} final")
        for checker in self.checkers:
            checker.on_moved(node, moved)

    def on_pool_moved(self, node: SimRotationNode, moved: TagsMoved) -> None:
        """A node's pool was told of them."""
        for checker in self.checkers:
            checker.on_pool_moved(node, moved)

    def on_sent(self, node: SimRotationNode, kind: int, payload: bytes) -> None:
        """A node sends a message."""
        if kind != kinds.CONSENSUS.number:
            return
        message = decode_message(payload)
        for checker in self.checkers:
            checker.on_message(node, message)

    def on_acknowledged(self, node: SimRotationNode, transaction: Hash32) -> None:
        """A node has promised a client to keep a transaction."""
        for checker in self.checkers:
            checker.on_acknowledged(node, transaction)

    def on_accused(self, node: SimRotationNode, effect: Misbehaved) -> None:
        """A node accuses a peer."""
        node.world.tell(node.position, f"accuses {effect.peer.hex()[:8]}: {effect.reason}")
        for checker in self.checkers:
            checker.on_accused(node, effect)

    def on_evidence(self, node: SimRotationNode, evidence: DoubleSeal) -> None:
        """A node has evidence of double signing."""
        who, slot = evidence.offence()
        node.world.tell(node.position, f"names {who.hex()[:8]}, who signed twice for slot {slot}")
        for checker in self.checkers:
            checker.on_evidence(node, evidence)

    def on_alarm(self, node: SimRotationNode, effect: Alarm) -> None:
        """A node calls for a person: a line of the story."""
        if effect.reason:
            node.world.tell(node.position, f"alarm, {effect.part}: {effect.reason}")
