"""A peer is here, says where it stands, or is gone."""

from __future__ import annotations

from coc.consensus.bft.effects import Effect, SendTo
from coc.consensus.bft.inputs import PeerCame, PeerGone, StatusReceived
from coc.consensus.bft.resend import answer, status_of
from coc.consensus.bft.state import Core, Peer
from coc.primitives.limits_consensus import PEERS_MAX
from coc.primitives.types import Millis


def on_peer_came(core: Core, _now_ms: Millis, event: PeerCame) -> list[Effect]:
    """Tell it where we stand: what we said before it came, it has not heard (BFT-42)."""
    return [SendTo(event.peer, status_of(core.height))]


def on_status(core: Core, now_ms: Millis, event: StatusReceived) -> list[Effect]:
    """Remember it, and send what the peer lacks (BFT-30)."""
    if event.peer not in core.peers and len(core.peers) >= PEERS_MAX:
        return []
    core.peers.setdefault(event.peer, Peer()).status = event.status
    return answer(core, now_ms, event.peer, event.status)


def on_peer_gone(core: Core, _now_ms: Millis, event: PeerGone) -> list[Effect]:
    """Forget a peer."""
    core.peers.pop(event.peer, None)
    return []
