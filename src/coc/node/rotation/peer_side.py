"""What peers of a rotation chain say and ask about blocks."""

from __future__ import annotations

from typing import assert_never

from coc.consensus import engine
from coc.consensus.rotation import inputs as ev
from coc.consensus.rotation.evidence import DoubleSeal
from coc.consensus.rotation.messages import Status, decode_message, encode_message
from coc.consensus.sync.messages import (
    decode_blocks,
    decode_body,
    decode_name,
    decode_range,
    encode_body,
)
from coc.node.rotation.core import Core, Source
from coc.node.rotation.effects import Effect, JudgeBlock, ReadBlock, ReadRange
from coc.node.rotation.engine_side import engine_step
from coc.node.rotation.inputs import BlockRead, RangeRead
from coc.node.validator import gossip_side
from coc.node.validator.effects import Misbehaved, Send, ServeBlock, ServeBlocks
from coc.node.validator.inputs import MessageReceived, PeerDown, PeerUp
from coc.primitives.errors import CocError
from coc.primitives.types import Hash32, Millis, PeerId
from coc.primitives.votes import Proposal
from coc.wire import kinds

NO_BLOCK = "bytes that are no block of this chain"


def on_peer_up(core: Core, now_ms: Millis, event: PeerUp) -> list[Effect]:
    """A peer is here: tell it where we stand, and what waits in our pool."""
    came = gossip_side.on_peer_up(core, now_ms, event)
    status = encode_message(core.status)
    return [Send(event.peer, kinds.CONSENSUS.number, status), *came]


def on_peer_down(core: Core, now_ms: Millis, event: PeerDown) -> list[Effect]:
    """A peer is gone."""
    core.heads.pop(event.peer, None)
    if core.source is not None and core.source.peer == event.peer:
        core.source = None
    gone = gossip_side.on_peer_down(core, now_ms, event)
    return [*engine_step(core, now_ms, engine.PeerGone(event.peer)), *gone]


def on_message(core: Core, now_ms: Millis, event: MessageReceived) -> list[Effect]:
    """Read a message; one that cannot be read is the peer's fault."""
    try:
        return _on_readable(core, now_ms, event)
    except CocError as error:
        return [Misbehaved(event.peer, f"{error.what}: {error.why}" if error.why else error.what)]


def on_block_read(core: Core, now_ms: Millis, event: BlockRead) -> list[Effect]:
    """The bytes of a block that a peer sent turned out to be what they are."""
    facts = event.facts
    if facts is None:
        return [Misbehaved(event.peer, NO_BLOCK)]
    if not core.bodies.is_sought(facts.hash):
        return []  # another peer was faster, or nobody wants it any more
    core.bodies.keep(facts, event.body)
    if facts.hash in core.unexecuted:
        core.unexecuted.pop(facts.hash, None)
        return [JudgeBlock(facts.hash, event.body)]
    return engine_step(core, now_ms, ev.BlockArrived(facts))


def on_range_read(core: Core, now_ms: Millis, event: RangeRead) -> list[Effect]:
    """Blocks of a peer's chain, with their seals (ROT-20)."""
    for sealed, body in event.blocks:
        core.bodies.keep(sealed.facts, body)
    arrived = ev.RangeArrived(event.peer, tuple(sealed for sealed, _ in event.blocks))
    effects = engine_step(core, now_ms, arrived)
    core.bodies.tidy(core.engine.is_on_its_way)
    if event.is_odd or not event.blocks:
        core.source = None  # others may have what it has not
    return [*effects, Misbehaved(event.peer, NO_BLOCK)] if event.is_odd else effects


def _on_readable(core: Core, now_ms: Millis, event: MessageReceived) -> list[Effect]:
    peer, payload = event.peer, event.payload
    if event.kind == kinds.CONSENSUS.number:
        return _on_consensus(core, now_ms, peer, payload)
    if event.kind == kinds.GET_BLOCK.number:
        return _on_get_block(core, peer, decode_name(payload))
    if event.kind == kinds.BLOCK.number:
        return [ReadBlock(peer, decode_body(payload))] if core.bodies.sought else []
    if event.kind == kinds.GET_BLOCKS.number:
        return [ServeBlocks(peer, decode_range(payload))]
    if event.kind == kinds.BLOCKS.number:
        return _on_blocks(core, now_ms, peer, payload)
    return [*gossip_side.on_message(core, now_ms, event)]


def _on_consensus(core: Core, now_ms: Millis, peer: PeerId, payload: bytes) -> list[Effect]:
    message = decode_message(payload)
    match message:
        case Proposal():
            return engine_step(core, now_ms, ev.SealReceived(peer, message))
        case Status():
            effects = engine_step(core, now_ms, ev.StatusReceived(peer, message))
            is_believed = not any(isinstance(effect, Misbehaved) for effect in effects)
            if message.head is not None and is_believed:
                core.heads[peer] = message.head.height
            return effects
        case DoubleSeal():
            return engine_step(core, now_ms, ev.EvidenceReceived(peer, message))
        case _:
            assert_never(message)


def _on_get_block(core: Core, peer: PeerId, block: Hash32) -> list[Effect]:
    """Serve a block on its way from memory, any other from the log."""
    kept = core.bodies.get(block)
    if kept is not None:
        return [Send(peer, kinds.BLOCK.number, encode_body(kept.body))]
    return [ServeBlock(peer, block)]


def _on_blocks(core: Core, now_ms: Millis, peer: PeerId, payload: bytes) -> list[Effect]:
    """Only what a peer was asked for is read."""
    source = core.source
    if source is None or source.peer != peer or not source.is_asked:
        return []
    core.source = Source(peer, now_ms, is_asked=False)
    return [ReadRange(peer, tuple(decode_blocks(payload)))]
