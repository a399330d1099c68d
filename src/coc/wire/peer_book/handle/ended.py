"""A connection is over, or a dial came to nothing: whose fault was it, and when do we try again?"""

from __future__ import annotations

from typing import Final

from coc.primitives.limits_wire import DIAL_STABLE_MS
from coc.primitives.types import Millis
from coc.wire.errors import Reason
from coc.wire.peer_book.connections import Connection
from coc.wire.peer_book.effects import DialGivenUp, Effect
from coc.wire.peer_book.inputs import ConnectionEnded
from coc.wire.peer_book.known import NEVER_MS
from coc.wire.peer_book.reputation import FAULT_POINTS, UNPROVEN_POINTS_MAX
from coc.wire.peer_book.state import Core

_STRANGERS: Final = frozenset(
    (
        Reason.OTHER_VERSION,
        Reason.OTHER_GENESIS,
        Reason.OTHER_FORKS,
        Reason.UNEXPECTED_IDENTITY,
        Reason.IDENTITY_NOT_PROVEN,
    )
)
"""Whoever is there is not who we look for."""


def on_connection_ended(core: Core, now_ms: Millis, event: ConnectionEnded) -> list[Effect]:
    """Forget the connection, blame the peer if it was its fault, and plan the next dial."""
    connection = core.connections.remove(event.connection)
    if connection is None:
        return []
    effects = _answer_wishes(core, connection)
    if connection.address is not None:
        _plan_redial(core, now_ms, connection, event.reason)
    points = FAULT_POINTS.get(event.reason, 0) if event.is_peers_fault else 0
    if points and (connection.is_proven or connection.address is None):
        if not connection.is_proven:
            points = min(points, UNPROVEN_POINTS_MAX)
        effects += core.blame(now_ms, connection.host, connection.peer, points)
    return effects


def _answer_wishes(core: Core, connection: Connection) -> list[Effect]:
    """Tell who waits, except where the peer is here by another connection: that one answers, or has."""
    if connection.opened_ms is not None:
        return []
    effects: list[Effect] = []
    for wish in connection.wishes:
        kept = None if wish.peer is None else core.connections.kept_with(wish.peer)
        if kept is None:
            effects.append(DialGivenUp(wish.address, wish.peer))
        elif kept.opened_ms is None:
            kept.wishes.append(wish)
    return effects


def _plan_redial(core: Core, now_ms: Millis, connection: Connection, reason: Reason) -> None:
    address = connection.address
    if address is None:
        return
    known = core.known.get(address)
    if reason is Reason.OWN_IDENTITY:
        core.note_own_address(address)
        if known is not None:
            known.due_ms = NEVER_MS
            core.known.forget(known)
        return
    if known is None:
        return
    if reason in _STRANGERS and not known.is_persistent:
        core.known.forget(known)
        return
    if connection.opened_ms is not None and now_ms - connection.opened_ms >= DIAL_STABLE_MS:
        known.failures = 0
    if reason is Reason.DUPLICATE or reason is Reason.NOT_NEEDED:
        known.due_ms = now_ms
        return
    core.known.on_failure(now_ms, known, is_online=core.connections.has_open())
