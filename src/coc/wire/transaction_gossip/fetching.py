"""Getting what was announced: from one announcer at a time, from the next when it fails. WIRE-32.

A peer has at most one request. Its answer has transactions in the order they were asked for. What is missing
before the last one delivered, it does not have; what comes after did not fit and is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable

from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.limits_wire import (
    GOSSIP_ANNOUNCERS_PER_HASH_MAX,
    GOSSIP_FETCH_MS_MAX,
    GOSSIP_REQUEST_HASHES_MAX,
    GOSSIP_WANTED_HASHES_MAX,
    GOSSIP_WANTED_PER_PEER_HASHES_MAX,
)
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.kinds import GET_TRANSACTIONS
from coc.wire.transaction_gossip.codec import encode_hashes
from coc.wire.transaction_gossip.effects import Effect, Misbehaved, Send, Submit
from coc.wire.transaction_gossip.inputs import Announced, Delivered, PeerGone
from coc.wire.transaction_gossip.state import Core, Request, Talk, Want

UNASKED_POINTS = 20
"""What transactions cost that nobody asked for."""


def on_announced(core: Core, now_ms: Millis, event: Announced) -> list[Effect]:
    """Want what is not here, within bounds, and ask."""
    talk = core.talks.get(event.peer)
    if talk is None:
        return []
    talk.knows.note_all(event.hashes)
    for hash_ in event.hashes:
        if not core.is_settled(now_ms, hash_):
            _want(core, event.peer, talk, hash_)
    return _ask(core, now_ms, [event.peer])


def on_delivered(core: Core, now_ms: Millis, event: Delivered) -> list[Effect]:
    """Hand what was asked for to the pool, and ask for what is still missing."""
    talk = core.talks.get(event.peer)
    if talk is None:
        return []
    request, talk.request = talk.request, None
    if request is None:
        return [Misbehaved(event.peer, "it sent transactions that nobody asked for", UNASKED_POINTS)]
    delivered = {keccak256(raw): raw for raw in event.raws}
    raws = [delivered[hash_] for hash_ in request.hashes if hash_ in delivered and hash_ in core.wants]
    places = [place for place, hash_ in enumerate(request.hashes) if hash_ in delivered]
    effects: list[Effect] = []
    if len(places) != len(event.raws):
        effects.append(Misbehaved(event.peer, "it sent transactions that were not asked for", UNASKED_POINTS))
    last = places[-1] if places else len(request.hashes)
    others: list[PeerId] = [event.peer]
    for place, hash_ in enumerate(request.hashes):
        if hash_ in delivered:
            if hash_ in core.wants:
                core.note_submitted(hash_, event.peer)
            core.drop_want(hash_)
        else:
            others += _release(core, event.peer, hash_, is_lacking=place < last)
    if raws:
        effects.append(Submit(event.peer, tuple(raws)))
    return effects + _ask(core, now_ms, others)


def on_peer_gone(core: Core, now_ms: Millis, event: PeerGone) -> list[Effect]:
    """Ask others for what this peer was asked for, and forget it."""
    talk = core.talks.get(event.peer)
    if talk is None:
        return []
    others: list[PeerId] = []
    for hash_ in tuple(talk.wanted):
        others += _release(core, event.peer, hash_, is_lacking=True)
    del core.talks[event.peer]
    return _ask(core, now_ms, others)


def expire(core: Core, now_ms: Millis) -> list[Effect]:
    """Ask others for what was not delivered in time."""
    others: list[PeerId] = []
    for peer, talk in core.talks.items():
        request = talk.request
        if request is not None and not request.is_late and request.until_ms <= now_ms:
            talk.request = replace(request, is_late=True)
            for hash_ in request.hashes:
                others += _release(core, peer, hash_, is_lacking=True)
    return _ask(core, now_ms, others)


def _want(core: Core, peer: PeerId, talk: Talk, hash_: Hash32) -> None:
    if len(talk.wanted) >= GOSSIP_WANTED_PER_PEER_HASHES_MAX:
        return
    want = core.wants.get(hash_)
    if want is None:
        if len(core.wants) >= GOSSIP_WANTED_HASHES_MAX:
            return
        core.wants[hash_] = Want([peer])
    elif peer in want.announcers or len(want.announcers) >= GOSSIP_ANNOUNCERS_PER_HASH_MAX:
        return
    else:
        want.announcers.append(peer)
    talk.wanted[hash_] = None


def _release(core: Core, peer: PeerId, hash_: Hash32, *, is_lacking: bool) -> list[PeerId]:
    """Stop waiting for a peer's copy; who else could be asked."""
    want = core.wants.get(hash_)
    if want is None:
        return []
    was_asked = want.asked == peer
    if was_asked:
        want.asked = None
    if is_lacking:
        core.drop_announcer(hash_, peer)
    return list(want.announcers) if was_asked else []


def _ask(core: Core, now_ms: Millis, peers: Iterable[PeerId]) -> list[Effect]:
    """Give each of these peers that has no request one, if it has announced what nobody is asked for."""
    effects: list[Effect] = []
    for peer in dict.fromkeys(peers):
        talk = core.talks.get(peer)
        if talk is None or talk.request is not None:
            continue
        hashes: list[Hash32] = []
        for hash_ in talk.wanted:
            if core.wants[hash_].asked is None:
                hashes.append(hash_)
                if len(hashes) == GOSSIP_REQUEST_HASHES_MAX:
                    break
        if hashes:
            for hash_ in hashes:
                core.wants[hash_].asked = peer
            talk.request = Request(tuple(hashes), Millis(now_ms + GOSSIP_FETCH_MS_MAX))
            effects.append(Send(peer, GET_TRANSACTIONS, encode_hashes(hashes)))
    return effects
