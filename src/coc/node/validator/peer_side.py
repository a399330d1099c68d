"""What peers say and ask, and the transactions that go between them and the pool."""

from __future__ import annotations

from typing import assert_never

from coc.consensus.bft import inputs as bft
from coc.consensus.bft.messages import Status, decode_message
from coc.consensus.sync.block_sync import BlocksReceived, PeerLeft
from coc.consensus.sync.messages import (
    decode_blocks,
    decode_body,
    decode_name,
    decode_range,
    encode_body,
)
from coc.execution.mempool.effects import Added, Refuse
from coc.execution.mempool.inputs import HeadChanged, JournalFailed, Judged, Origin, Submit
from coc.node.validator import dht_side
from coc.node.validator.consensus_side import engine_step
from coc.node.validator.core import Core
from coc.node.validator.effects import (
    CheckBlock,
    Effect,
    Misbehaved,
    Send,
    ServeBlock,
    ServeBlocks,
    ServeGenesis,
    SetGossipTimer,
    SubmitFromPeer,
)
from coc.node.validator.inputs import BlockChecked, MessageReceived, PeerDown, PeerUp
from coc.node.validator.sync_side import sync_step
from coc.primitives.errors import CocError
from coc.primitives.types import Hash32, Millis, PeerId
from coc.primitives.votes import CommitCertificate, Evidence, Proposal, Vote
from coc.wire import kinds
from coc.wire.transaction_gossip import codec as transactions
from coc.wire.transaction_gossip import effects as gossip_fx
from coc.wire.transaction_gossip import inputs as gossip


def on_peer_up(core: Core, now_ms: Millis, event: PeerUp) -> list[Effect]:
    """A peer is here: tell it where we stand, and what waits in our pool."""
    core.peers[event.peer] = None
    came = gossip.PeerCame(event.peer, tuple(core.pool.view.hashes()))
    return [*gossip_step(core, now_ms, came), *dht_side.on_peer_up(core, now_ms, event)]


def on_peer_down(core: Core, now_ms: Millis, event: PeerDown) -> list[Effect]:
    """A peer is gone."""
    core.peers.pop(event.peer, None)
    core.told_genesis.discard(event.peer)
    return [
        *engine_step(core, now_ms, bft.PeerGone(event.peer)),
        *sync_step(core, now_ms, PeerLeft(event.peer)),
        *gossip_step(core, now_ms, gossip.PeerGone(event.peer)),
        *dht_side.on_peer_down(core, now_ms, event),
    ]


def on_gossip_timer(core: Core, now_ms: Millis) -> list[Effect]:
    """Gossip goes on."""
    return gossip_step(core, now_ms, gossip.TimerFired())


def on_message(core: Core, now_ms: Millis, event: MessageReceived) -> list[Effect]:
    """Read a message; one that cannot be read is the peer's fault."""
    try:
        return _on_readable(core, now_ms, event)
    except CocError as error:
        return [Misbehaved(event.peer, f"{error.what}: {error.why}" if error.why else error.what)]


def on_block_checked(core: Core, now_ms: Millis, event: BlockChecked) -> list[Effect]:
    """The bytes of a block that a peer sent turned out to be what they are."""
    if event.hash is None:
        return [Misbehaved(event.peer, "bytes that are no block of this chain")]
    if not core.blocks.is_sought(event.hash):
        return []  # another peer was faster, or the height is over
    core.blocks.keep(event.hash, event.height, event.body)
    return engine_step(core, now_ms, bft.BlockArrived(event.hash))


def pool_step(
    core: Core, now_ms: Millis, event: Submit | Judged | JournalFailed | HeadChanged
) -> list[Effect]:
    """Hand an input to the pool; what it takes is announced to peers."""
    effects: list[Effect] = []
    told: list[Effect] = []
    is_of_peers = isinstance(event, Submit) and event.origin is Origin.PEER
    for effect in core.pool.step(now_ms, event):
        effects.append(effect)
        if isinstance(effect, Added):
            told += gossip_step(core, now_ms, gossip.Added(Hash32(effect.transaction.hash)))
        elif isinstance(effect, Refuse) and is_of_peers:
            told += gossip_step(core, now_ms, gossip.Refused(effect.hash))
    return [*effects, *told]


def gossip_step(core: Core, now_ms: Millis, event: gossip.Input) -> list[Effect]:
    """Hand an input to transaction gossip, and its effects on."""
    effects: list[Effect] = []
    for effect in core.setup.gossip.step(now_ms, event):
        match effect:
            case gossip_fx.Send():
                effects.append(Send(effect.peer, effect.kind.number, effect.payload))
            case gossip_fx.Submit():
                effects.append(SubmitFromPeer(effect.peer, effect.raws))
            case gossip_fx.Lookup():
                found = tuple(
                    known.raw for each in effect.hashes if (known := core.pool.view.get(each)) is not None
                )
                effects += gossip_step(core, now_ms, gossip.LookedUp(effect.peer, found))
            case gossip_fx.SetTimer():
                effects.append(SetGossipTimer(effect.at_ms))
            case gossip_fx.Misbehaved():
                effects.append(Misbehaved(effect.peer, effect.reason))
            case _:
                assert_never(effect)
    return effects


def _on_readable(core: Core, now_ms: Millis, event: MessageReceived) -> list[Effect]:
    peer, payload = event.peer, event.payload
    if event.kind == kinds.CONSENSUS.number:
        return _on_consensus(core, now_ms, peer, payload)
    if event.kind == kinds.GET_BLOCK.number:
        return _on_get_block(core, peer, decode_name(payload))
    if event.kind == kinds.BLOCK.number:
        return [CheckBlock(peer, decode_body(payload))] if core.blocks.sought else []
    if event.kind == kinds.GET_BLOCKS.number:
        return [ServeBlocks(peer, decode_range(payload))]
    if event.kind == kinds.BLOCKS.number:
        return sync_step(core, now_ms, BlocksReceived(peer, tuple(decode_blocks(payload))))
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


def _on_consensus(core: Core, now_ms: Millis, peer: PeerId, payload: bytes) -> list[Effect]:
    message = decode_message(payload)
    match message:
        case Vote():
            return engine_step(core, now_ms, bft.VoteReceived(peer, message))
        case Proposal():
            core.blocks.heard_of(message.block, peer)
            return engine_step(core, now_ms, bft.ProposalReceived(peer, message))
        case CommitCertificate():
            core.blocks.heard_of(message.block, peer)
            return engine_step(core, now_ms, bft.CertificateReceived(peer, message))
        case Evidence():
            return engine_step(core, now_ms, bft.EvidenceReceived(peer, message))
        case Status():
            return engine_step(core, now_ms, bft.StatusReceived(peer, message))
        case _:
            assert_never(message)


def _on_get_block(core: Core, peer: PeerId, block: Hash32) -> list[Effect]:
    """Serve an undecided block from memory, any other from the log."""
    body = core.blocks.body(block)
    if body is not None:
        return [Send(peer, kinds.BLOCK.number, encode_body(body))]
    return [ServeBlock(peer, block)]


def _on_get_genesis(core: Core, peer: PeerId) -> list[Effect]:
    """Once a connection: a small question with an answer of megabytes (WIRE-37)."""
    if peer in core.told_genesis or peer not in core.peers:
        return []
    core.told_genesis.add(peer)
    return [ServeGenesis(peer)]
