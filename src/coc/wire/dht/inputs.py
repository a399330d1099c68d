"""Everything that can happen to the table. Time is Unix time in milliseconds: records expire by it."""

from __future__ import annotations

import enum
from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, PeerId
from coc.wire.dht.records import Record
from coc.wire.dht.rules import peer_id_of


class TimerKind(enum.Enum):
    """What a timer is for."""

    JOIN = "join"
    UPKEEP = "upkeep"
    REQUEST = "request"
    DIAL = "dial"
    LOOKUP = "lookup"


@frozen
class Timer:
    """A timer by what it is for; `JOIN` and `UPKEEP` have no number."""

    kind: TimerKind
    number: int = 0


@frozen
class Started:
    """The node runs and can dial."""


@frozen
class PeerUp:
    """The wire has proved who a peer is; it says that it can be dialled at this port, 0 if it cannot."""

    peer: PeerId
    public_key: bytes
    host: str
    port: int

    def __post_init__(self) -> None:
        """An id that is not the key's is a defect of the caller, not of the peer."""
        if self.peer != peer_id_of(self.public_key):
            raise ValueError("a peer's id is the keccak-256 of its public key")


@frozen
class PeerGone:
    """The connection to a peer has ended."""

    peer: PeerId


@frozen
class MessageReceived:
    """A peer sent bytes for the table."""

    peer: PeerId
    data: bytes


@frozen
class DialFailed:
    """A `Dial` came to nothing: nobody there, or somebody else; the fields are the effect's."""

    host: str
    port: int
    peer: PeerId | None


@frozen
class TimerFired:
    """A timer that was asked for has gone off."""

    timer: Timer


@frozen
class LookUp:
    """The node wants the nodes nearest to a target; answer `LookedUp` or `Refused`."""

    ticket: int
    target: Hash32


@frozen
class FindValue:
    """The node wants the records under a key; answer `Found` or `Refused`."""

    ticket: int
    key: Hash32


@frozen
class Publish:
    """Announce a record of ours until it expires; answer `Announced`, again and again, or `NotPublished`."""

    record: Record


@frozen
class Withdraw:
    """Announce the record under this key no more; what others hold of it expires."""

    key: Hash32


Input: TypeAlias = (
    Started
    | PeerUp
    | PeerGone
    | MessageReceived
    | DialFailed
    | TimerFired
    | LookUp
    | FindValue
    | Publish
    | Withdraw
)
