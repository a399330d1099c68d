"""By what a signer tells earlier from later: rounds where validators agree, slots where they take turns.

The two do not go together. On a rotation chain heights may fall, so a signer that looked at heights would
refuse what is harmless; and it would sign twice for one slot, at two heights, which is an offence there. So
whoever starts a signer says which chains it is for, and every node says which of them its own is.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, TypeAlias

from coc.consensus.signing_mark import Verdict, judge, judge_by_slot
from coc.primitives.seals import SignRequest

Judge: TypeAlias = Callable[[SignRequest | None, SignRequest], Verdict]
"""Whether a request may be signed above a mark."""


class SigningOrder(enum.Enum):
    """The name is that of the engine, as `coc genesis new` takes it."""

    ROUNDS = "bft"
    """BFT-40."""
    SLOTS = "rotation"
    """ROT-9."""

    @property
    def judge(self) -> Judge:
        """Who decides what may be signed above a mark."""
        return _JUDGES[self]


_JUDGES: Final = {SigningOrder.ROUNDS: judge, SigningOrder.SLOTS: judge_by_slot}
