"""How many votes have counted since the start. For people to read: nothing is decided by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from coc.primitives.seals import Step
from coc.primitives.votes import Vote


@dataclass(slots=True)
class VoteCount:
    """Votes of others and our own by step, each once."""

    all: Counter[Step] = field(default_factory=Counter)
    nil: Counter[Step] = field(default_factory=Counter)
    """Those of them for no block."""

    def add(self, vote: Vote) -> None:
        """One more."""
        self.all[vote.step] += 1
        if vote.block is None:
            self.nil[vote.step] += 1
