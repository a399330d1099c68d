"""Telling peers what the pool has taken: in batches, and nobody what it knows."""

from __future__ import annotations

from collections.abc import Sequence

from coc.primitives.limits_wire import (
    GOSSIP_ANNOUNCED_HASHES_MAX,
    GOSSIP_FLUSH_MS,
    GOSSIP_NEWCOMER_HASHES_MAX,
)
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.kinds import ANNOUNCE_TRANSACTIONS
from coc.wire.transaction_gossip.codec import encode_hashes
from coc.wire.transaction_gossip.effects import Effect, Misbehaved, Send
from coc.wire.transaction_gossip.inputs import Added, PeerCame, Refused
from coc.wire.transaction_gossip.state import Core, Talk

FAULTY_POINTS = 20
"""What a transaction costs its deliverer that no honest peer passes on."""


def on_peer_came(core: Core, event: PeerCame) -> list[Effect]:
    """Tell a newcomer what waits here: it may have been elsewhere when that was new. WIRE-36."""
    talk = Talk()
    core.talks[event.peer] = talk
    return _announce(event.peer, talk, event.waiting[-GOSSIP_NEWCOMER_HASHES_MAX:])


def on_added(core: Core, now_ms: Millis, event: Added) -> list[Effect]:
    """Note what the pool has taken, and announce it soon. WIRE-31."""
    for hash_ in event.hashes:
        core.submitted.pop(hash_, None)
        core.refused.pop(hash_, None)
        core.drop_want(hash_)
    core.known.note_all(event.hashes)
    core.fresh += event.hashes
    if len(core.fresh) >= GOSSIP_ANNOUNCED_HASHES_MAX:
        return flush(core)
    if core.flush_ms is None:
        core.flush_ms = Millis(now_ms + GOSSIP_FLUSH_MS)
    return []


def on_refused(core: Core, now_ms: Millis, event: Refused) -> list[Effect]:
    """Note what the pool has refused; blame who delivered what no honest peer passes on."""
    peer = core.submitted.pop(event.hash, None)
    core.refused.note(event.hash, now_ms)
    if peer is None or not event.is_fault:
        return []
    return [Misbehaved(peer, f"it sent {event.hash.hex()}, which is no valid transaction", FAULTY_POINTS)]


def flush(core: Core) -> list[Effect]:
    """Announce what has gathered."""
    fresh, core.fresh, core.flush_ms = core.fresh, [], None
    effects: list[Effect] = []
    for peer, talk in core.talks.items():
        effects += _announce(peer, talk, fresh)
    return effects


def _announce(peer: PeerId, talk: Talk, hashes: Sequence[Hash32]) -> list[Effect]:
    known = talk.knows
    news = [hash_ for hash_ in hashes if hash_ not in known]
    known.note_all(news)
    return [
        Send(
            peer,
            ANNOUNCE_TRANSACTIONS,
            encode_hashes(news[start : start + GOSSIP_ANNOUNCED_HASHES_MAX]),
        )
        for start in range(0, len(news), GOSSIP_ANNOUNCED_HASHES_MAX)
    ]
