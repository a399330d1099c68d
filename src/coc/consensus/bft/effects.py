"""Everything the BFT machine can ask for. Effects are carried out in the order of the list."""

from __future__ import annotations

from typing import TypeAlias

from coc.consensus.bft.inputs import PeerId, Timer
from coc.consensus.bft.messages import Message
from coc.consensus.bft.wal import Record
from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32, Height, Millis
from coc.primitives.votes import CommitCertificate, Evidence


@frozen
class SetTimer:
    """Hand in `TimerFired` at this time. Timers are never cancelled: late ones are ignored."""

    timer: Timer
    at_ms: Millis


@frozen
class Build:
    """Make a block on `parent`, original round `round`; answer `Built`.

    `certificate` is the fullest one we have for the parent and enters the consensus data; None on genesis.
    """

    height: Height
    round: int
    parent: Hash32
    certificate: CommitCertificate | None


@frozen
class Fetch:
    """Get the bytes of a block, from these peers if any is named; answer `BlockArrived`."""

    block: Hash32
    holders: tuple[PeerId, ...]


@frozen
class Execute:
    """Execute a block whose bytes are here; answer `Executed`."""

    height: Height
    block: Hash32


@frozen
class Persist:
    """Append to the write-ahead log, bytes of each `BlockKept` first, and fsync; answer `Persisted`."""

    sequence: int
    records: tuple[Record, ...]


@frozen
class Sign:
    """Sign with the consensus key; answer `SignatureMade` or `SignatureRefused`."""

    request: SignRequest


@frozen
class Append:
    """Append a record without waiting: the next `Persist` makes it durable."""

    record: Record


@frozen
class Broadcast:
    """Send to every peer."""

    message: Message


@frozen
class SendTo:
    """Send to one peer. A vote or proposal sent again is never suppressed as known."""

    peer: PeerId
    message: Message


@frozen
class SendStoredCertificate:
    """Send a peer the certificate of a height of the log."""

    peer: PeerId
    height: Height


@frozen
class CatchUp:
    """A peer says it is further: blocks may be fetched from it."""

    peer: PeerId
    height: Height


@frozen
class Decide:
    """The block is final: write it with its certificate into the log; answer `HeightOpened`."""

    height: Height
    block: Hash32
    certificate: CommitCertificate


@frozen
class EvidenceFound:
    """New evidence, verified: keep it for a block."""

    evidence: Evidence


@frozen
class Misbehaved:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


@frozen
class Alarm:
    """Something a person must know."""

    reason: str


Effect: TypeAlias = (
    SetTimer
    | Build
    | Fetch
    | Execute
    | Persist
    | Sign
    | Append
    | Broadcast
    | SendTo
    | SendStoredCertificate
    | CatchUp
    | Decide
    | EvidenceFound
    | Misbehaved
    | Alarm
)
