"""Everything transaction gossip can ask for. Effects are carried out in the order of the list."""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.kinds import Kind


@frozen
class Send:
    """Send a peer a message; one that is lost is made good by a timeout."""

    peer: PeerId
    kind: Kind
    payload: bytes


@frozen
class Submit:
    """Hand a peer's transactions to the pool; answer `Added` or `Refused` for each."""

    peer: PeerId
    raws: tuple[bytes, ...]


@frozen
class Lookup:
    """Find transactions in the pool; answer `LookedUp`, also where there is none."""

    peer: PeerId
    hashes: tuple[Hash32, ...]


@frozen
class SetTimer:
    """Hand in `TimerFired` at this time. Timers are never cancelled: one more than needed does no harm."""

    at_ms: Millis


@frozen
class Misbehaved:
    """A peer did what no honest peer does."""

    peer: PeerId
    reason: str
    points: int


Effect: TypeAlias = Send | Submit | Lookup | SetTimer | Misbehaved
