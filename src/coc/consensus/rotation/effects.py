"""Everything the rotation machine of a network can ask for, carried out in the order of the list."""

from __future__ import annotations

from typing import TypeAlias

from coc.consensus.engine import Alarm, Append, Fetch, Misbehaved, Persist, Sign
from coc.consensus.rotation.evidence import DoubleSeal
from coc.consensus.rotation.inputs import Timer
from coc.consensus.rotation.messages import Message
from coc.primitives.frozen import frozen
from coc.primitives.seals import Seal
from coc.primitives.types import Hash32, Height, Millis, PeerId


@frozen
class SetTimer:
    """Hand in `TimerFired` at this time. Timers are never cancelled: late ones are ignored."""

    timer: Timer
    at_ms: Millis


@frozen
class Build:
    """Make a block of this slot on `parent`; answer `Built`. The seal is the parent's, None on genesis."""

    slot: int
    height: Height
    parent: Hash32
    parent_seal: Seal | None


@frozen
class FetchRange:
    """Get blocks of a peer's chain from a height on; answer `RangeArrived`."""

    peer: PeerId
    first: Height


@frozen
class Execute:
    """Execute a block and hold it to the rules; its bytes and its parent are here. Answer `Executed`."""

    block: Hash32


@frozen
class Record:
    """Write a valid block with its seal into the block log; answer `Recorded` once it is durable."""

    block: Hash32
    seal: Seal


@frozen
class MoveHead:
    """Make these the tags of the chain; the final block's name must be durable before anybody is told."""

    head: Hash32
    safe: Hash32
    final: Hash32


@frozen
class Broadcast:
    """Send to every peer."""

    message: Message


@frozen
class EvidenceFound:
    """A validator signed twice: tell people."""

    evidence: DoubleSeal


Effect: TypeAlias = (
    SetTimer
    | Build
    | Fetch
    | FetchRange
    | Execute
    | Persist
    | Sign
    | Append
    | Record
    | MoveHead
    | Broadcast
    | EvidenceFound
    | Misbehaved
    | Alarm
)
