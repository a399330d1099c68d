"""Giving peers what they ask for, a bounded amount at a time. WIRE-34."""

from __future__ import annotations

from coc.primitives.limits_wire import GOSSIP_LOOKUPS_PER_PEER_MAX, GOSSIP_REPLY_BYTES_MAX
from coc.wire.kinds import TRANSACTIONS
from coc.wire.transaction_gossip.codec import encode_transactions
from coc.wire.transaction_gossip.effects import Effect, Lookup, Misbehaved, Send
from coc.wire.transaction_gossip.inputs import LookedUp, Requested
from coc.wire.transaction_gossip.state import Core

IMPATIENT_POINTS = 5
"""What a request costs that comes while many of the same peer wait."""


def on_requested(core: Core, event: Requested) -> list[Effect]:
    """Look up what a peer wants, unless it has many requests waiting."""
    talk = core.talks.get(event.peer)
    if talk is None:
        return []
    if talk.lookups >= GOSSIP_LOOKUPS_PER_PEER_MAX:
        return [Misbehaved(event.peer, "it asks without waiting for answers", IMPATIENT_POINTS)]
    talk.lookups += 1
    return [Lookup(event.peer, event.hashes)]


def on_looked_up(core: Core, event: LookedUp) -> list[Effect]:
    """Send what was found, from the front and as much as fits; an empty answer says that there is nothing."""
    talk = core.talks.get(event.peer)
    if talk is None or talk.lookups == 0:
        return []
    talk.lookups -= 1
    taken: list[bytes] = []
    size = 0
    for raw in event.raws:
        if size >= GOSSIP_REPLY_BYTES_MAX:
            break
        taken.append(raw)
        size += len(raw)
    return [Send(event.peer, TRANSACTIONS, encode_transactions(taken))]
