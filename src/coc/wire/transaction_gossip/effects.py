"""Everything transaction gossip can ask for. Effects are carried out in the order of the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.kinds import Kind


@dataclass(frozen=True, slots=True)
class Send:
    """Send a peer a message; one that is lost is made good by a timeout."""

    peer: PeerId
    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True)
class Submit:
    """Hand a peer's transactions to the pool; answer `Added` or `Refused` for each."""

    peer: PeerId
    raws: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Find transactions in the pool; answer `LookedUp`, also where there is none."""

    peer: PeerId
    hashes: tuple[Hash32, ...]


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Hand in `TimerFired` at this time. Timers are never cancelled: one more than needed does no harm."""

    at_ms: Millis


@dataclass(frozen=True, slots=True)
class Misbehaved:
    """A peer did what no honest peer does."""

    peer: PeerId
    reason: str
    points: int


Effect: TypeAlias = Send | Submit | Lookup | SetTimer | Misbehaved
