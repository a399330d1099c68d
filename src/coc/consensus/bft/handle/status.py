"""A peer says where it stands, or is gone."""

from __future__ import annotations

from coc.consensus.bft.effects import Effect
from coc.consensus.bft.inputs import PeerGone, StatusReceived
from coc.consensus.bft.resend import answer
from coc.consensus.bft.state import Core, Peer
from coc.primitives.limits_consensus import PEERS_MAX
from coc.primitives.types import Millis


def on_status(core: Core, now_ms: Millis, event: StatusReceived) -> list[Effect]:
    """Remember it, and send what the peer lacks (BFT-30)."""
    if event.peer not in core.peers and len(core.peers) >= PEERS_MAX:
        return []
    core.peers.setdefault(event.peer, Peer()).status = event.status
    return answer(core, now_ms, event.peer, event.status)


def on_peer_gone(core: Core, event: PeerGone) -> list[Effect]:
    """Forget a peer."""
    core.peers.pop(event.peer, None)
    return []
