"""What peers say of themselves, and what we say: how lost messages are made up for (ROT-19, ROT-20)."""

from __future__ import annotations

from coc.consensus.engine import Fetch, Misbehaved, PeerGone
from coc.consensus.rotation.blocks import connect
from coc.consensus.rotation.effects import Broadcast, Effect, FetchRange, SetTimer
from coc.consensus.rotation.inputs import SealReceived, StatusReceived, Timer, TimerKind
from coc.consensus.rotation.messages import Status
from coc.consensus.rotation.seals import STRANGE_SEAL, is_authentic, on_seal
from coc.consensus.rotation.state import Core, Sight
from coc.primitives.limits_consensus import PEERS_MAX
from coc.primitives.limits_rotation import FETCHES_PER_STATUS_MAX, RANGE_BEHIND_BLOCKS_MIN
from coc.primitives.types import Height, Millis


def status_of(core: Core) -> Status:
    """Where we stand."""
    return Status(core.seals.get(core.tree.head.hash), core.tree.root.height)


def speak(core: Core, now_ms: Millis) -> list[Effect]:
    """Say where we stand, ask again for what is sought, and set the time when we shall do so again."""
    asked: list[Effect] = []
    for block, each in tuple(core.pending.items()):
        if each.sight is Sight.WAITING and block in core.pending:
            asked += connect(core, now_ms, block)  # what it waits for may have had to make room
    sought = [each for each in core.pending.values() if each.sight is Sight.SOUGHT]
    sought.sort(key=lambda each: (each.seal.round, each.seal.block))
    asked += [Fetch(each.seal.block, tuple(each.sources)) for each in sought[:FETCHES_PER_STATUS_MAX]]
    timer = SetTimer(Timer(TimerKind.RESEND, 0), Millis(now_ms + core.setup.rules.resend_ms))
    return [Broadcast(status_of(core)), *asked, timer]


def on_status(core: Core, now_ms: Millis, event: StatusReceived) -> list[Effect]:
    """Take a peer's head like an announcement; where it is far ahead, ask for its chain."""
    head, tree = event.status.head, core.tree
    if head is None or head.block in tree:
        return []
    if head.height <= tree.head.height + RANGE_BEHIND_BLOCKS_MIN:
        return on_seal(core, now_ms, SealReceived(event.peer, head))
    if not is_authentic(core, head):
        return [Misbehaved(event.peer, STRANGE_SEAL)]
    if head.round > core.slot_now(now_ms):
        return []
    received = core.received_until.get(event.peer, Height(0))
    return [FetchRange(event.peer, Height(max(received, tree.root.height) + 1))]


def on_peer_gone(core: Core, event: PeerGone) -> list[Effect]:
    """Nobody asks it any more."""
    core.received_until.pop(event.peer, None)
    for each in core.pending.values():
        each.sources.pop(event.peer, None)
    while len(core.received_until) > PEERS_MAX:
        del core.received_until[next(iter(core.received_until))]
    return []
