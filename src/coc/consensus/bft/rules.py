"""What genesis fixes about a BFT chain, and the facts that a height starts from. Times in milliseconds."""

from __future__ import annotations

from typing import Protocol

from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, Height, Millis, Signature
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import CommitCertificate


@frozen
class Timeout:
    """A waiting time that grows with the round, up to a cap (BFT-12)."""

    base_ms: int
    delta_ms: int
    cap_ms: int

    def at(self, round_: int) -> int:
        """Milliseconds to wait in this round."""
        return min(self.base_ms + round_ * self.delta_ms, self.cap_ms)


@frozen
class BftRules:
    """The parameters of a chain.

    `resend_ms` is the time between two statuses; `clock_tolerance_ms` how far a new block's time may lie
    ahead of the clock of a validator that prevotes it.
    """

    genesis_hash: Hash32
    interval_ms: int
    propose: Timeout
    prevote: Timeout
    precommit: Timeout
    resend_ms: int
    clock_tolerance_ms: int


@frozen
class HeightFacts:
    """What is known when a height opens, all of it from the parent's state and the log.

    `next_validators` is set(h + 1); `parent_certificate` is None for block 1 only.
    """

    height: Height
    parent: Hash32
    parent_time_ms: int
    validators: ValidatorSet
    next_validators: ValidatorSet
    skipped: frozenset[Address] = frozenset()
    parent_certificate: CommitCertificate | None = None


@frozen
class BlockFacts:
    """What the rules need of a block that was executed and found valid."""

    original_round: int
    proposer: Address
    time_ms: int


@frozen
class Lock:
    """A block with the round in which a quorum prevoted it."""

    round: int
    block: Hash32


class Verifier(Protocol):
    """Finds out who signed."""

    def __call__(self, digest: Hash32, signature: Signature) -> Address:
        """The address of the key that made the signature.

        Raises:
            SignatureInvalid: no key made it.
        """


@frozen
class Setup:
    """What a machine is built with; `own` is None for a node that is no validator.

    `silent_above` is the height of the signer's mark where the write-ahead log is lost: nothing is signed
    until a height above it was decided without us (BFT-41). None where there is nothing to fear.
    `marked` is height and round of the signer's mark where that loss was accepted (BFT-43).
    """

    rules: BftRules
    own: Address | None
    verify: Verifier
    silent_above: Height | None = None
    marked: tuple[Height, int] | None = None


def due_ms(rules: BftRules, facts: HeightFacts, now_ms: Millis) -> Millis:
    """When the block of a height is due: an interval after its parent, but never longer from now (BFT-13).

    The second bound keeps a proposer whose clock is fast from making all others wait for theirs.
    """
    return Millis(min(facts.parent_time_ms + rules.interval_ms, now_ms + rules.interval_ms))
