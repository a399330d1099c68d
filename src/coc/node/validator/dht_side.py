"""The table of nodes (`coc.wire.dht`) as a part of a node: its inputs and effects in the node's words.

A node without a table, as in simulated runs where everybody is connected, leaves all of this out. What the
table is for here: it finds other nodes and validators, and tells them where this one is (DHT-26, DHT-27).
"""

from __future__ import annotations

from typing import assert_never

from coc.node.validator.core import Commons, Discovery
from coc.node.validator.effects import (
    AddressesFound,
    Alarm,
    DialNode,
    Misbehaved,
    Send,
    SetDhtTimer,
    Shared,
    SignRecord,
)
from coc.node.validator.inputs import DhtTimer, DialFailed, MessageReceived, PeerDown, PeerUp, RecordSigned
from coc.primitives.frozen import replace
from coc.primitives.limits_dht import RECORD_TTL_SECONDS_MAX
from coc.primitives.types import Millis, Seconds
from coc.wire import kinds
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.records import Claim

ANNOUNCING = "announcing its address"
"""The part that an alarm names when other nodes may no longer find this one."""


def on_start(core: Commons, now_ms: Millis) -> list[Shared]:
    """Peers can be dialled."""
    return dht_step(core, now_ms, ev.Started())


def on_timer(core: Commons, now_ms: Millis, event: DhtTimer) -> list[Shared]:
    """A timer of the table; with its upkeep, validators who are not here are looked for."""
    effects = dht_step(core, now_ms, ev.TimerFired(event.timer))
    if event.timer.kind is ev.TimerKind.UPKEEP:
        effects += _look_for_validators(core, now_ms)
    return effects


def on_peer_up(core: Commons, now_ms: Millis, event: PeerUp) -> list[Shared]:
    """A peer is here, and proved its key."""
    at = event.contact
    return (
        [] if at is None else dht_step(core, now_ms, ev.PeerUp(event.peer, at.public_key, at.host, at.port))
    )


def on_peer_down(core: Commons, now_ms: Millis, event: PeerDown) -> list[Shared]:
    """A peer is gone."""
    return dht_step(core, now_ms, ev.PeerGone(event.peer))


def on_message(core: Commons, now_ms: Millis, event: MessageReceived) -> list[Shared]:
    """A peer asks the table, or answers it."""
    return dht_step(core, now_ms, ev.MessageReceived(event.peer, event.payload))


def on_dial_failed(core: Commons, now_ms: Millis, event: DialFailed) -> list[Shared]:
    """Nobody was there, or somebody else."""
    return dht_step(core, now_ms, ev.DialFailed(event.host, event.port, event.peer))


def on_record_signed(core: Commons, now_ms: Millis, event: RecordSigned) -> list[Shared]:
    """Announce a newer record; one that the table will not have is not signed again, or it would go on."""
    found = core.discovery
    return [] if found is None else _translated(found, now_ms, ev.Publish(event.record), signs_anew=False)


def _look_for_validators(core: Commons, now_ms: Millis) -> list[Shared]:
    """Whoever votes, now or soon, looks for the others who do (DHT-27)."""
    found, own = core.discovery, core.own
    voters = {entry.id: entry for entry in core.voters}
    if found is None or own not in voters:
        return []
    others = [entry for entry in voters.values() if entry.id != own]
    searches = found.search.due(others, core.peers)
    return [effect for search in searches for effect in dht_step(core, now_ms, search)]


def renewed(claim: Claim, now_ms: Millis) -> Claim:
    """The same claim once more: newer than itself and than those of earlier lives (DHT-26)."""
    expiry = Seconds(now_ms // 1_000 + RECORD_TTL_SECONDS_MAX)
    return replace(claim, sequence=max(now_ms, claim.sequence + 1), expiry_seconds=expiry)


def dht_step(core: Commons, now_ms: Millis, event: ev.Input) -> list[Shared]:
    """Hand an input to the table, if there is one, and its effects on."""
    found = core.discovery
    return [] if found is None else _translated(found, now_ms, event, signs_anew=True)


def _translated(discovery: Discovery, now_ms: Millis, event: ev.Input, *, signs_anew: bool) -> list[Shared]:
    return [
        wish
        for effect in discovery.table.step(now_ms, event)
        for wish in _translate(discovery, now_ms, effect, signs_anew=signs_anew)
    ]


def _translate(discovery: Discovery, now_ms: Millis, effect: fx.Effect, *, signs_anew: bool) -> list[Shared]:
    match effect:
        case fx.Send():
            return [Send(effect.peer, kinds.DHT.number, effect.data)]
        case fx.Dial():
            return [DialNode(effect.host, effect.port, effect.peer)]
        case fx.SetTimer():
            return [SetDhtTimer(effect.timer, effect.at_ms)]
        case fx.Misbehaved():
            return [Misbehaved(effect.peer, effect.reason)]
        case fx.PeersDiscovered():
            return [AddressesFound(effect.contacts)]
        case fx.Renew():
            return [SignRecord(renewed(effect.record.claim, now_ms))]
        case fx.NotPublished():
            # A machine that slept for a day finds its record expired.
            if signs_anew:
                return [SignRecord(renewed(discovery.claim, now_ms))]
            return [Alarm(ANNOUNCING, effect.reason)]
        case fx.Announced():
            return [Alarm(ANNOUNCING, "")] if effect.holders else []
        case fx.Found(ticket, records):
            dial = discovery.search.on_found(ticket, records)
            return [] if dial is None else [dial]
        case fx.Refused(ticket):
            discovery.search.on_refused(ticket)
            return []
        case fx.LookedUp():
            return []  # the answer to a wish that a node does not have
        case _:
            assert_never(effect)
