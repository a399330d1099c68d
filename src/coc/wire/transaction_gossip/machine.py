"""Transaction gossip: `step(now_ms, input) -> list[effect]`. The dispatch.

The pool has the last word: a hash counts as known once the pool has taken the transaction, so a bad copy
never keeps a good one out (WIRE-33).
"""

from __future__ import annotations

from typing import assert_never

from coc.primitives.types import Millis
from coc.wire.transaction_gossip.announcing import flush, on_added, on_peer_came, on_refused
from coc.wire.transaction_gossip.answering import on_looked_up, on_requested
from coc.wire.transaction_gossip.effects import Effect
from coc.wire.transaction_gossip.fetching import expire, on_announced, on_delivered, on_peer_gone
from coc.wire.transaction_gossip.inputs import (
    Added,
    Announced,
    Delivered,
    Input,
    LookedUp,
    PeerCame,
    PeerGone,
    Refused,
    Requested,
    TimerFired,
)
from coc.wire.transaction_gossip.state import Core


class TransactionGossip:
    """Passes transactions on between our pool and those of peers."""

    def __init__(self) -> None:
        """No peers yet."""
        self._core = Core()

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        return self._on(now_ms, event) + self._core.arm()

    def _on(self, now_ms: Millis, event: Input) -> list[Effect]:
        core = self._core
        match event:  # the most frequent first: each case that fails costs
            case Announced():
                return on_announced(core, now_ms, event)
            case TimerFired():
                return self._on_timer(now_ms)
            case Added():
                return on_added(core, now_ms, event)
            case Requested():
                return on_requested(core, event)
            case LookedUp():
                return on_looked_up(core, event)
            case Delivered():
                return on_delivered(core, now_ms, event)
            case PeerCame():
                return on_peer_came(core, event)
            case PeerGone():
                return on_peer_gone(core, now_ms, event)
            case Refused():
                return on_refused(core, now_ms, event)
            case _:
                assert_never(event)

    def _on_timer(self, now_ms: Millis) -> list[Effect]:
        core = self._core
        core.timer_ms = None
        effects = expire(core, now_ms)
        if core.flush_ms is not None and core.flush_ms <= now_ms:
            effects += flush(core)
        return effects
