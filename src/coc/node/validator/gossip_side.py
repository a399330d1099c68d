"""What nodes of every engine say to each other beside blocks: transactions, genesis, the table of nodes."""

from __future__ import annotations

from typing import assert_never

from coc.execution.mempool.effects import Added, Refuse
from coc.execution.mempool.inputs import HeadChanged, JournalFailed, Judged, Origin, Submit
from coc.node.validator import dht_side
from coc.node.validator.core import Commons
from coc.node.validator.effects import (
    Misbehaved,
    Send,
    ServeGenesis,
    SetGossipTimer,
    Shared,
    SubmitFromPeer,
)
from coc.node.validator.inputs import MessageReceived, PeerDown, PeerUp
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire import kinds
from coc.wire.transaction_gossip import codec as transactions
from coc.wire.transaction_gossip import effects as gossip_fx
from coc.wire.transaction_gossip import inputs as gossip


def on_peer_up(core: Commons, now_ms: Millis, event: PeerUp) -> list[Shared]:
    """A peer is here: tell it what waits in our pool."""
    core.peers[event.peer] = None
    came = gossip.PeerCame(event.peer, tuple(core.pool.view.hashes()))
    return [*gossip_step(core, now_ms, came), *dht_side.on_peer_up(core, now_ms, event)]


def on_peer_down(core: Commons, now_ms: Millis, event: PeerDown) -> list[Shared]:
    """A peer is gone."""
    core.peers.pop(event.peer, None)
    core.told_genesis.discard(event.peer)
    gone = gossip_step(core, now_ms, gossip.PeerGone(event.peer))
    return [*gone, *dht_side.on_peer_down(core, now_ms, event)]


def on_gossip_timer(core: Commons, now_ms: Millis) -> list[Shared]:
    """Gossip goes on."""
    return gossip_step(core, now_ms, gossip.TimerFired())


def on_message(core: Commons, now_ms: Millis, event: MessageReceived) -> list[Shared]:
    """A message that is not about blocks; one of an unknown kind means nothing."""
    peer, payload = event.peer, event.payload
    if event.kind == kinds.ANNOUNCE_TRANSACTIONS.number:
        announced = gossip.Announced(peer, transactions.decode_announcement(payload))
        return gossip_step(core, now_ms, announced)
    if event.kind == kinds.GET_TRANSACTIONS.number:
        requested = gossip.Requested(peer, transactions.decode_request(payload))
        return gossip_step(core, now_ms, requested)
    if event.kind == kinds.TRANSACTIONS.number:
        delivered = gossip.Delivered(peer, transactions.decode_transactions(payload))
        return gossip_step(core, now_ms, delivered)
    if event.kind == kinds.GET_GENESIS.number:
        return _on_get_genesis(core, peer)
    if event.kind == kinds.DHT.number:
        return dht_side.on_message(core, now_ms, event)
    return []


def pool_step(
    core: Commons, now_ms: Millis, event: Submit | Judged | JournalFailed | HeadChanged
) -> list[Shared]:
    """Hand an input to the pool; what it takes is announced to peers."""
    effects: list[Shared] = [*core.pool.step(now_ms, event)]
    told: list[Shared] = []
    added = tuple(Hash32(effect.transaction.hash) for effect in effects if isinstance(effect, Added))
    if added:
        told += gossip_step(core, now_ms, gossip.Added(added))
    if isinstance(event, Submit) and event.origin is Origin.PEER:
        for effect in effects:
            if isinstance(effect, Refuse):
                told += gossip_step(core, now_ms, gossip.Refused(effect.hash))
    return [*effects, *told]


def gossip_step(core: Commons, now_ms: Millis, event: gossip.Input) -> list[Shared]:
    """Hand an input to transaction gossip, and its effects on."""
    effects: list[Shared] = []
    for effect in core.gossip.step(now_ms, event):
        match effect:  # the most frequent first: each case that fails costs
            case gossip_fx.Send():
                effects.append(Send(effect.peer, effect.kind.number, effect.payload))
            case gossip_fx.SetTimer():
                effects.append(SetGossipTimer(effect.at_ms))
            case gossip_fx.Submit():
                effects.append(SubmitFromPeer(effect.peer, effect.raws))
            case gossip_fx.Lookup():
                found = tuple(
                    known.raw for each in effect.hashes if (known := core.pool.view.get(each)) is not None
                )
                effects += gossip_step(core, now_ms, gossip.LookedUp(effect.peer, found))
            case gossip_fx.Misbehaved():
                effects.append(Misbehaved(effect.peer, effect.reason))
            case _:
                assert_never(effect)
    return effects


def _on_get_genesis(core: Commons, peer: PeerId) -> list[Shared]:
    """Once a connection: a small question with an answer of megabytes (WIRE-37)."""
    if peer in core.told_genesis or peer not in core.peers:
        return []
    core.told_genesis.add(peer)
    return [ServeGenesis(peer)]
