"""Everything the BFT machine can ask for. Effects are carried out in the order of the list."""

from __future__ import annotations

from typing import TypeAlias

from coc.consensus.bft.inputs import PeerId, Timer
from coc.consensus.bft.messages import Message
from coc.consensus.engine import Alarm, Append, Fetch, Misbehaved, Persist, Sign
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Height, Millis
from coc.primitives.votes import CommitCertificate, Evidence

__all__ = [
    "Alarm",
    "Append",
    "Broadcast",
    "Build",
    "CatchUp",
    "Decide",
    "Effect",
    "EvidenceFound",
    "Execute",
    "Fetch",
    "Misbehaved",
    "Persist",
    "SendStoredCertificate",
    "SendTo",
    "SetTimer",
    "Sign",
]


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
class Execute:
    """Execute a block whose bytes are here; answer `Executed`."""

    height: Height
    block: Hash32


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
