"""A token bucket on the machine's time: how many requests a peer may make (DHT-22)."""

from __future__ import annotations

from dataclasses import dataclass

from coc.primitives.limits_dht import BURST_TOKENS_MAX, TOKENS_PER_SECOND

_FULL = BURST_TOKENS_MAX * 1_000


@dataclass(slots=True)
class Budget:
    """Full at first; counts thousandths of a token, so that milliseconds need no fractions."""

    at_ms: int
    thousandths: int = _FULL

    def take(self, now_ms: int, tokens: int) -> bool:
        """Spend some tokens, if there are that many. A clock set back gives none and takes none."""
        earned = max(0, now_ms - self.at_ms) * TOKENS_PER_SECOND
        self.at_ms = now_ms
        self.thousandths = min(_FULL, self.thousandths + earned)
        if self.thousandths < tokens * 1_000:
            return False
        self.thousandths -= tokens * 1_000
        return True
