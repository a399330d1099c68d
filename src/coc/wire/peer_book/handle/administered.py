"""What an operator says of peers while the node runs: keep this one, part from that one, keep it out."""

from __future__ import annotations

from typing import assert_never

from coc.primitives.limits_wire import BAN_MS_MAX, PEERS_CONFIGURED_MAX
from coc.primitives.types import Millis
from coc.wire.addresses import owner_of
from coc.wire.errors import Reason
from coc.wire.peer_book.connections import Connection
from coc.wire.peer_book.effects import Banned, Effect
from coc.wire.peer_book.inputs import Administered, BanLifted, PeerAdded, PeerBanned, PeerRemoved
from coc.wire.peer_book.known import Known, Source
from coc.wire.peer_book.state import Core


def on_administered(core: Core, now_ms: Millis, event: Administered) -> list[Effect]:
    """Do as the operator says. WIRE-39."""
    match event:
        case PeerAdded():
            return _add(core, event)
        case PeerRemoved():
            return _remove(core, event)
        case PeerBanned():
            return _ban(core, now_ms, event)
        case BanLifted(subject):
            core.reputations.forgive(subject)
            if not isinstance(subject, str):
                for known in core.known:
                    if subject in (known.expected, known.seen):
                        core.reputations.forgive(owner_of(known.address.host))
            return []
        case _:
            assert_never(event)


def _add(core: Core, event: PeerAdded) -> list[Effect]:
    """From now on this one is dialled for ever, beginning with the next tick."""
    before = core.known.get(event.address)
    configured = sum(known.is_persistent for known in core.known)
    if before is None or not before.is_persistent:
        if configured >= PEERS_CONFIGURED_MAX:
            return []
        if before is not None:
            core.known.forget(before)
        core.known.configure(Known(event.address, Source.PERSISTENT, expected=event.peer))
    elif event.peer is not None:
        before.expected = event.peer
    return []


def _remove(core: Core, event: PeerRemoved) -> list[Effect]:
    """Dial it no more, and part from it; who was learned may be learned again."""
    effects: list[Effect] = []
    for connection in core.connections:
        if _is_meant(connection, event):
            effects += core.leave(connection, Reason.DISMISSED)
    for known in tuple(core.known):
        if known.address == event.address or (event.peer and event.peer in (known.expected, known.seen)):
            core.known.dismiss(known)
    return effects


def _is_meant(connection: Connection, event: PeerRemoved) -> bool:
    if event.peer is not None:
        return connection.peer == event.peer
    return event.address is not None and event.address in (connection.address, connection.listens_at)


def _ban(core: Core, now_ms: Millis, event: PeerBanned) -> list[Effect]:
    """Keep a peer out for the longest that a ban lasts; its address is not blamed for it."""
    until_ms = core.reputations.ban(now_ms, event.peer, BAN_MS_MAX)
    effects: list[Effect] = [] if until_ms is None else [Banned(event.peer.hex(), Millis(until_ms))]
    for connection in core.connections:
        if connection.peer == event.peer:
            effects += core.leave(connection, Reason.BANNED)
    return effects
