"""Everything that can happen to snapshot sync."""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Height, PeerId


@frozen
class Target:
    """A block that is final, by a certificate that the caller has verified; SYNC-1."""

    height: Height
    block: Hash32
    header: bytes
    certificate: bytes


@frozen
class Counts:
    """How much was taken in so far, over all attempts."""

    accounts: int
    slots: int
    codes: int
    bytes: int


@frozen
class Started:
    """The node runs and messages can leave."""


@frozen
class Begun:
    """The folder is ready: the first account key that is missing (None: none is), and what else is here."""

    next: bytes | None
    has_surroundings: bool
    counts: Counts


@frozen
class PeerCame:
    """A peer is connected."""

    peer: PeerId


@frozen
class PeerGone:
    """The connection to a peer has ended."""

    peer: PeerId


@frozen
class StateReceived:
    """A peer has answered a request of ranges."""

    peer: PeerId
    payload: bytes


@frozen
class CodesReceived:
    """A peer has answered a request of codes."""

    peer: PeerId
    payload: bytes


@frozen
class SurroundingsReceived:
    """A peer has answered a request of the block and what lies around it."""

    peer: PeerId
    payload: bytes


@frozen
class RangeGained:
    """What a verified range has brought."""

    end: bytes
    """Up to here the trie is known; its last key where the trie has no more."""
    storages: tuple[tuple[Hash32, bytes], ...] = ()
    """Accounts whose storage is to be fetched, each from a key on."""
    codes: tuple[Hash32, ...] = ()
    """Codes that are to be fetched."""


@frozen
class StateVerified:
    """The ranges of `VerifyState` with this number are true, and built in or waiting for their turn."""

    number: int
    ranges: tuple[RangeGained, ...]
    next: bytes | None
    """The first account key that is not built in; None when all are."""
    counts: Counts


@frozen
class CodesVerified:
    """The codes of `VerifyCodes` with this number are what their hashes say; some may still be missing."""

    number: int
    missing: tuple[Hash32, ...]
    next: bytes | None
    counts: Counts


@frozen
class SurroundingsVerified:
    """The surroundings of `VerifySurroundings` with this number are those of the block."""

    number: int


@frozen
class Refused:
    """The answer with this number does not prove itself."""

    number: int
    reason: str


@frozen
class Failed:
    """Our own side could not do what was asked last: the disk, or a defect. What was saved is there."""

    reason: str


@frozen
class TargetFound:
    """A certified block, newer than the one at hand or not."""

    target: Target


@frozen
class Finished:
    """The folder opens as a chain with the block as its head."""


@frozen
class TimerFired:
    """The time of a `SetTimer` has come."""


Input: TypeAlias = (
    Started
    | Begun
    | PeerCame
    | PeerGone
    | StateReceived
    | CodesReceived
    | SurroundingsReceived
    | StateVerified
    | CodesVerified
    | SurroundingsVerified
    | Refused
    | Failed
    | TargetFound
    | Finished
    | TimerFired
)
