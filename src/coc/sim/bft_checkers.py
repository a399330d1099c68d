"""The invariants of a run, each checked the moment it could break; a broken one raises `Violation`.

`Watch` sees what all nodes do; it knows who is honest, which no node does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coc.consensus.bft.messages import Message
from coc.primitives.seals import SignRequest, Step
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.votes import CommitCertificate, Evidence, Proposal, Signed, Vote, step_of
from coc.sim.bft_crypto import verify, verify_quietly
from coc.sim.bft_disk import SimBlock
from coc.sim.machines.campaign import Violation

if TYPE_CHECKING:
    from coc.sim.bft_node import SimNode

ROUNDS_AFTER_HEAL_MAX = 10
"""Rounds in which a height must be decided once nothing is lost any more."""

Place = tuple[Address, Height, int, Step]


@dataclass(slots=True)
class Watch:
    """What has been decided, signed and heard so far."""

    decided: dict[Height, Hash32] = field(default_factory=dict)
    proposed: dict[Hash32, int] = field(default_factory=dict)
    signed: dict[Place, object] = field(default_factory=dict)
    heard: dict[tuple[int, int, Place], set[object]] = field(default_factory=dict)
    convicted: set[tuple[int, Place]] = field(default_factory=set)
    rounds: dict[Height, int] = field(default_factory=dict)

    def on_decided(self, node: SimNode, block: SimBlock, certificate: CommitCertificate) -> None:
        """Agreement, validity, a certificate that stands by itself, and its original round."""
        node.network.story(node, f"decides {block.height} {block.hash.hex()[:8]} in {certificate.round}")
        if not node.is_honest:
            return
        known = self.decided.setdefault(block.height, block.hash)
        if known != block.hash:
            raise Violation(f"agreement: two blocks at height {block.height}")
        if not block.is_valid:
            raise Violation(f"validity: an invalid block at height {block.height}")
        if block.facts.original_round > certificate.round:
            raise Violation(f"original round: {block.facts.original_round} after {certificate.round}")
        self.rounds[block.height] = max(certificate.round, self.rounds.get(block.height, 0))
        _check_certificate(node, certificate)

    def on_sent(self, node: SimNode, message: Signed) -> None:
        """No honest double-sign, and a message only after its record."""
        if not node.is_honest:
            return
        place = _place(message)
        known = self.signed.setdefault(place, _content(message))
        if known != _content(message):
            raise Violation(f"double sign: node {node.position} at {place[1:]}")
        if message.height == node.height:
            request = message.request(node.network.rules.genesis_hash)
            if not node.disk.has_intent(request):
                raise Violation(f"record first: node {node.position} sent {place[1:]} before its record")

    def on_refused(self, node: SimNode, request: SignRequest) -> None:
        """An honest machine never asks for what its signer must refuse."""
        if node.is_honest:
            where = (request.height, request.round, request.step.name)
            raise Violation(f"signer: node {node.position} asked again for {where}")

    def on_alarm(self, node: SimNode, reason: str) -> None:
        """Nothing in a run calls for a person."""
        if node.is_honest:
            raise Violation(f"alarm: node {node.position}: {reason}")

    def on_evidence(self, node: SimNode, evidence: Evidence) -> None:
        """Nobody honest is ever accused."""
        offender = node.network.node_of(evidence.offender)
        if offender.is_honest:
            raise Violation(f"evidence: node {offender.position} is honest")
        self.convicted.add((node.position, evidence.offence()))

    def on_received(self, node: SimNode, message: Message) -> None:
        """Remember which conflicting messages reached one life of an honest node in their own height."""
        if not node.is_honest or not node.is_up or not isinstance(message, Vote | Proposal):
            return
        status = node.machine.status
        if (
            message.height != status.height
            or message.round > status.round
            or message.validator == node.key.address
        ):
            return
        sender = node.network.node_of(message.validator)
        digest = message.request(node.network.rules.genesis_hash).digest()
        if not sender.is_honest and verify_quietly(digest, message.signature) == message.validator:
            key = (node.position, node.life, _place(message))
            self.heard.setdefault(key, set()).add(_content(message))

    def on_crash(self, node: SimNode) -> None:
        """What a life heard and had not yet handed over is gone with it."""
        lost = [key for key in self.heard if key[:2] == (node.position, node.life)]
        for key in lost:
            del self.heard[key]

    def check_evidence(self) -> None:
        """Whoever heard a liar say two things has evidence of it."""
        for (position, _life, place), contents in self.heard.items():
            if len(contents) > 1 and (position, place) not in self.convicted:
                raise Violation(f"evidence: node {position} heard two messages at {place[1:]} and kept none")


def _check_certificate(node: SimNode, certificate: CommitCertificate) -> None:
    """What `consensus.bft.certificates` must guarantee, said again in other words."""
    validators = node.network.validators
    entries = [entry for index, entry in enumerate(validators.validators) if certificate.bitmap >> index & 1]
    digest = certificate.request(node.network.rules.genesis_hash).digest()
    signers = [verify(digest, signature) for signature in certificate.signatures]
    if signers != [entry.id for entry in entries]:
        raise Violation(f"certificate: height {certificate.height} is signed by others")
    if 3 * sum(entry.power for entry in entries) <= 2 * sum(entry.power for entry in validators.validators):
        raise Violation(f"certificate: height {certificate.height} has too little power")
    if certificate.set_hash != validators.hash():
        raise Violation(f"certificate: height {certificate.height} names another set")


def _place(message: Signed) -> Place:
    return (message.validator, message.height, message.round, step_of(message))


def _content(message: Signed) -> object:
    if isinstance(message, Proposal):
        return (message.block, message.valid_round)
    return message.block
