"""The engine of a node that seals nothing: it serves an Ethereum chain, or one whose key it does not have."""

from __future__ import annotations

from coc.consensus.rotation.engine import Demanded, Effect, Fulfilled, Input
from coc.primitives.types import Millis

SEALS_NOTHING = "this node seals no blocks"


class IdleEngine:
    """Asks for nothing; whoever wants a block is told that none will come."""

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        del now_ms
        return [Fulfilled(event.ticket, SEALS_NOTHING)] if isinstance(event, Demanded) else []
