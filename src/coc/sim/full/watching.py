"""Who sees everything: passes what happens to the checkers, each of which knows one invariant.

A broken invariant raises `Violation` at the moment it breaks; the last lines of the story then say how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coc.consensus.bft.messages import decode_message
from coc.node.validator.effects import Alarm, Misbehaved, WriteAhead
from coc.node.validator.signer import SigningRefused
from coc.primitives.seals import SignRequest
from coc.primitives.votes import CommitCertificate, Evidence, Proposal, Signed, Vote
from coc.wire import kinds

if TYPE_CHECKING:
    from coc.sim.full.validator import SimValidator


SIGNED = (Vote, Proposal)
"""The messages that checkers look at one by one."""


class Violation(AssertionError):
    """A run broke an invariant; the first word names it."""


class Checker:
    """What a checker may look at; each overrides what its invariant speaks of."""

    def on_start(self, node: SimValidator) -> None:
        """A node has opened its chain."""

    def on_wiped(self, node: SimValidator) -> None:
        """A node has lost its chain."""

    def on_decided(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """A node has written a decided block."""

    def on_adopted(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """A node has caught up by a block of a peer."""

    def on_written(self, node: SimValidator, effect: WriteAhead) -> None:
        """Records of a node are durable."""

    def on_signed(self, node: SimValidator, message: Signed) -> None:
        """A node sends a vote or a proposal, its own or another's."""

    def on_refused(self, node: SimValidator, request: SignRequest, error: SigningRefused) -> None:
        """A signer has refused its node."""

    def on_accused(self, node: SimValidator, effect: Misbehaved) -> None:
        """A node accuses a peer."""

    def on_evidence(self, node: SimValidator, evidence: Evidence) -> None:
        """A node has evidence of double signing."""

    def on_alarm(self, node: SimValidator, effect: Alarm) -> None:
        """A node calls for a person."""


class Watch:
    """Passes on to all checkers, and keeps the story."""

    def __init__(self, checkers: tuple[Checker, ...]) -> None:
        """`checkers` are asked in this order, each for what its invariant speaks of."""
        self.checkers = checkers
        self._of_decided, self._of_written, self._of_signed = (
            [each for each in checkers if getattr(type(each), what) is not getattr(Checker, what)]
            for what in ("on_decided", "on_written", "on_signed")
        )

    def on_start(self, node: SimValidator) -> None:
        """A node has opened its chain."""
        for checker in self.checkers:
            checker.on_start(node)

    def on_wiped(self, node: SimValidator) -> None:
        """A node has lost its chain."""
        for checker in self.checkers:
            checker.on_wiped(node)

    def on_decided(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """A node has written a decided block."""
        node.world.tell(
            node.position,
            f"decides {certificate.height} = {certificate.block.hex()[:8]} in round {certificate.round}",
        )
        for checker in self._of_decided:
            checker.on_decided(node, certificate)

    def on_adopted(self, node: SimValidator, certificate: CommitCertificate) -> None:
        """A node has caught up by a block of a peer."""
        node.world.tell(node.position, f"adopts {certificate.height} = {certificate.block.hex()[:8]}")
        for checker in self.checkers:
            checker.on_adopted(node, certificate)

    def on_written(self, node: SimValidator, effect: WriteAhead) -> None:
        """Records of a node are durable."""
        for checker in self._of_written:
            checker.on_written(node, effect)

    def on_sent(self, node: SimValidator, kind: int, payload: bytes) -> None:
        """A node sends a message."""
        if kind != kinds.CONSENSUS.number:
            return
        message = decode_message(payload)
        if isinstance(message, SIGNED):
            for checker in self._of_signed:
                checker.on_signed(node, message)

    def on_refused(self, node: SimValidator, request: SignRequest, error: SigningRefused) -> None:
        """A signer has refused its node."""
        node.world.tell(node.position, f"is refused by its signer: {error.why}")
        for checker in self.checkers:
            checker.on_refused(node, request, error)

    def on_accused(self, node: SimValidator, effect: Misbehaved) -> None:
        """A node accuses a peer."""
        node.world.tell(node.position, f"accuses {effect.peer.hex()[:8]}: {effect.reason}")
        for checker in self.checkers:
            checker.on_accused(node, effect)

    def on_evidence(self, node: SimValidator, evidence: Evidence) -> None:
        """A node has evidence of double signing."""
        _, height, round_, step = evidence.offence()
        who = evidence.offender.hex()[:8]
        node.world.tell(node.position, f"convicts {who} of {height}, round {round_}, {step.name.lower()}")
        for checker in self.checkers:
            checker.on_evidence(node, evidence)

    def on_alarm(self, node: SimValidator, effect: Alarm) -> None:
        """A node calls for a person."""
        if effect.reason:
            node.world.tell(node.position, f"alarm, {effect.part}: {effect.reason}")
            for checker in self.checkers:
                checker.on_alarm(node, effect)
