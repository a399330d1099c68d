"""Transaction gossip: `step(now_ms, input) -> list[effect]`. The dispatch.

The pool has the last word: a hash counts as known once the pool has taken the transaction, so a bad copy
never keeps a good one out (WIRE-33).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

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
        core = self._core
        return HANDLERS[type(event)](core, now_ms, event) + core.arm()


def _on_timer(core: Core, now_ms: Millis, _event: TimerFired) -> list[Effect]:
    core.timer_ms = None
    effects = expire(core, now_ms)
    if core.flush_ms is not None and core.flush_ms <= now_ms:
        effects += flush(core)
    return effects


HANDLERS: Final[Mapping[type[Input], Callable[[Core, Millis, Any], list[Effect]]]] = {
    PeerCame: lambda core, _now_ms, event: on_peer_came(core, event),
    PeerGone: on_peer_gone,
    Added: on_added,
    Refused: on_refused,
    Announced: on_announced,
    Requested: lambda core, _now_ms, event: on_requested(core, event),
    LookedUp: lambda core, _now_ms, event: on_looked_up(core, event),
    Delivered: on_delivered,
    TimerFired: _on_timer,
}
"""What happens upon every input; a table, because a `match` pays for each class that the input is not."""
