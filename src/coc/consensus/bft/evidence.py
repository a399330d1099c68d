"""Evidence of double signing: first in, first out, bounded for each validator and in all (BFT-28, BFT-29)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from coc.primitives.limits_consensus import EVIDENCE_ITEMS_MAX, EVIDENCE_PER_VALIDATOR_ITEMS_MAX
from coc.primitives.seals import Step
from coc.primitives.types import Address, Height
from coc.primitives.votes import Evidence

Offence: TypeAlias = tuple[Address, Height, int, Step]


@dataclass(slots=True)
class EvidencePool:
    """Verified evidence that waits for a block to include it, oldest first."""

    waiting: dict[Offence, Evidence] = field(default_factory=dict)
    counts: dict[Address, int] = field(default_factory=dict)
    settled: dict[Offence, None] = field(default_factory=dict)
    """Offences that blocks have included, newest last, so that a late copy starts nothing anew."""

    def knows(self, offence: Offence) -> bool:
        """Whether an offence waits for a block, or had its block."""
        return offence in self.waiting or offence in self.settled

    def settle(self, offence: Offence) -> None:
        """A block has included evidence of this offence."""
        self.remove(offence)
        self.settled[offence] = None
        if len(self.settled) > EVIDENCE_ITEMS_MAX:
            del self.settled[next(iter(self.settled))]

    def add(self, evidence: Evidence) -> bool:
        """Keep a piece; False if its offence is known. The oldest makes room."""
        offence = evidence.offence()
        if self.knows(offence):
            return False
        if self.counts.get(evidence.offender, 0) >= EVIDENCE_PER_VALIDATOR_ITEMS_MAX:
            self.remove(next(known for known in self.waiting if known[0] == evidence.offender))
        elif len(self.waiting) >= EVIDENCE_ITEMS_MAX:
            self.remove(next(iter(self.waiting)))
        self.waiting[offence] = evidence
        self.counts[evidence.offender] = self.counts.get(evidence.offender, 0) + 1
        return True

    def remove(self, offence: Offence) -> None:
        """Forget a piece: it makes room, or was settled."""
        evidence = self.waiting.pop(offence, None)
        if evidence is not None:
            self.counts[evidence.offender] -= 1
            if not self.counts[evidence.offender]:
                del self.counts[evidence.offender]

    def pending(self) -> tuple[Evidence, ...]:
        """What waits, oldest first."""
        return tuple(self.waiting.values())
