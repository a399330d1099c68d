"""Two seals for one slot: what they are, and the bounded book of those found (ROT-25).

`Evidence` of the chain types holds two messages of one height, because that is what blocks carry and what
the registry's contract is told. Here the slot is the place, and the heights may differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from coc.primitives import rlp
from coc.primitives.errors import ConsensusError
from coc.primitives.frozen import frozen
from coc.primitives.limits_rotation import DOUBLE_SEALS_MAX
from coc.primitives.seals import NO_VALID_ROUND
from coc.primitives.types import Address
from coc.primitives.votes import Proposal, read_proposal

Offence: TypeAlias = tuple[Address, int]
"""Who signed twice, and in which slot."""


class DoubleSealInvalid(ConsensusError):
    """Two seals that exclude nothing, or are not in their one order."""

    id = "COC-DOUBLE-SEAL"


@frozen
class DoubleSeal:
    """Two seals of one validator for one slot and different blocks; the smaller encoding comes first."""

    first: Proposal
    second: Proposal

    def offence(self) -> Offence:
        """What was broken: further pairs for it say nothing new."""
        return (self.first.validator, self.first.round)

    def item(self) -> rlp.Encodable:
        """The RLP value: (first, second)."""
        return [self.first.item(), self.second.item()]


def is_double(one: Proposal, other: Proposal) -> bool:
    """Whether no honest validator seals both."""
    is_same_place = (one.validator, one.round) == (other.validator, other.round)
    are_seals = one.valid_round == other.valid_round == NO_VALID_ROUND
    return is_same_place and are_seals and one.block != other.block


def double_seal(one: Proposal, other: Proposal) -> DoubleSeal:
    """Evidence in its one form.

    Raises:
        DoubleSealInvalid: an honest validator may seal both.
    """
    if not is_double(one, other):
        raise DoubleSealInvalid("not evidence", why="the two seals do not exclude each other")
    first, second = sorted((one, other), key=lambda seal: rlp.encode(seal.item()))
    return DoubleSeal(first, second)


def read_double_seal(item: rlp.Item) -> DoubleSeal:
    """Read evidence from its decoded RLP; the signatures are not checked.

    Raises:
        DoubleSealInvalid, VoteInvalid: it has another shape, does not convict, or is not in its one form.
    """
    match item:
        case [first, second]:
            found = DoubleSeal(read_proposal(first), read_proposal(second))
            if double_seal(found.first, found.second) == found:
                return found
        case _:
            pass
    raise DoubleSealInvalid("evidence is two seals that exclude each other, the smaller first")


@dataclass(slots=True)
class DoubleSealBook:
    """Verified evidence, oldest first."""

    found: dict[Offence, DoubleSeal] = field(default_factory=dict)

    def knows(self, offence: Offence) -> bool:
        """Whether it was reported already."""
        return offence in self.found

    def add(self, evidence: DoubleSeal) -> bool:
        """Keep a piece; False if its offence is known. The oldest makes room."""
        if self.knows(evidence.offence()):
            return False
        self.found[evidence.offence()] = evidence
        if len(self.found) > DOUBLE_SEALS_MAX:
            del self.found[next(iter(self.found))]
        return True
