"""Everything the table can ask for. Effects are carried out in the order of the list."""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.dht.hosts import Contact
from coc.wire.dht.inputs import Timer
from coc.wire.dht.records import Record


@frozen
class Send:
    """Send a connected peer these bytes, as one message for the table."""

    peer: PeerId
    data: bytes


@frozen
class Dial:
    """Connect; answer `PeerUp`, or `DialFailed`, also if somebody else than `peer` is found there."""

    host: str
    port: int
    peer: PeerId | None


@frozen
class SetTimer:
    """Hand in `TimerFired` at this time. Timers are never cancelled: late ones are ignored."""

    timer: Timer
    at_ms: Millis


@frozen
class LookedUp:
    """The nodes nearest to the target that answered, nearest first."""

    ticket: int
    contacts: tuple[Contact, ...]


@frozen
class Found:
    """The records found, one a publisher, all verified."""

    ticket: int
    records: tuple[Record, ...]


@frozen
class Refused:
    """Too many lookups wait; ask again later."""

    ticket: int


@frozen
class Announced:
    """This many nodes hold our record under this key now; with none, it is tried again soon."""

    key: Hash32
    holders: int


@frozen
class NotPublished:
    """A record will not be announced, and why."""

    key: Hash32
    reason: str


@frozen
class Renew:
    """This publication expires soon: sign it again with a higher sequence and `Publish` it."""

    record: Record


@frozen
class Misbehaved:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


@frozen
class PeersDiscovered:
    """These nodes have proved who they are and entered the table: worth keeping for the next start."""

    contacts: tuple[Contact, ...]


Effect: TypeAlias = (
    Send
    | Dial
    | SetTimer
    | LookedUp
    | Found
    | Refused
    | Announced
    | NotPublished
    | Renew
    | Misbehaved
    | PeersDiscovered
)
