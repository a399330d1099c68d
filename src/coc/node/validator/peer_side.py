"""What peers of a BFT chain say and ask about blocks."""

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
from coc.node.validator import gossip_side
from coc.node.validator.consensus_side import engine_step
from coc.node.validator.core import Core
from coc.node.validator.effects import (
    CheckBlock,
    Effect,
    Misbehaved,
    Send,
    ServeBlock,
    ServeBlocks,
)
from coc.node.validator.inputs import BlockChecked, MessageReceived, PeerDown, PeerUp
from coc.node.validator.sync_side import sync_step
from coc.primitives.errors import CocError
from coc.primitives.types import Hash32, Millis, PeerId
from coc.primitives.votes import CommitCertificate, Evidence, Proposal, Vote
from coc.wire import kinds


def on_peer_up(core: Core, now_ms: Millis, event: PeerUp) -> list[Effect]:
    """A peer is here: tell it where we stand, and what waits in our pool."""
    came = gossip_side.on_peer_up(core, now_ms, event)
    return [*engine_step(core, now_ms, bft.PeerCame(event.peer)), *came]


def on_peer_down(core: Core, now_ms: Millis, event: PeerDown) -> list[Effect]:
    """A peer is gone."""
    gone = gossip_side.on_peer_down(core, now_ms, event)
    return [
        *engine_step(core, now_ms, bft.PeerGone(event.peer)),
        *sync_step(core, now_ms, PeerLeft(event.peer)),
        *gone,
    ]


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
    return [*gossip_side.on_message(core, now_ms, event)]


def _on_consensus(core: Core, now_ms: Millis, peer: PeerId, payload: bytes) -> list[Effect]:
    message = decode_message(payload)
    match message:  # the most frequent first: each case that fails costs
        case Vote():
            return engine_step(core, now_ms, bft.VoteReceived(peer, message))
        case Status():
            return engine_step(core, now_ms, bft.StatusReceived(peer, message))
        case Proposal():
            core.blocks.heard_of(message.block, peer)
            return engine_step(core, now_ms, bft.ProposalReceived(peer, message))
        case CommitCertificate():
            core.blocks.heard_of(message.block, peer)
            return engine_step(core, now_ms, bft.CertificateReceived(peer, message))
        case Evidence():
            return engine_step(core, now_ms, bft.EvidenceReceived(peer, message))
        case _:
            assert_never(message)


def _on_get_block(core: Core, peer: PeerId, block: Hash32) -> list[Effect]:
    """Serve an undecided block from memory, any other from the log."""
    body = core.blocks.body(block)
    if body is not None:
        return [Send(peer, kinds.BLOCK.number, encode_body(body))]
    return [ServeBlock(peer, block)]
