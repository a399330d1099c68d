"""Everything snapshot sync can ask for. Effects are carried out in the order of the list."""

from __future__ import annotations

import enum
from typing import TypeAlias

from coc.consensus.sync.snapshot.inputs import Counts, Target
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Height, Millis, PeerId


class Subject(enum.Enum):
    """What is asked for: each has a message of its own for request and answer."""

    STATE = "state"
    CODES = "codes"
    SURROUNDINGS = "surroundings"


@frozen
class Begin:
    """Begin the snapshot of a block, or go on with it, or turn to it; answer `Begun` or `Failed`.

    Whatever is under way about another block, or was asked before, is of no interest any more.
    """

    target: Target


@frozen
class Ask:
    """Send a peer a request; one that is lost is made good by a timeout."""

    peer: PeerId
    subject: Subject
    payload: bytes


@frozen
class VerifyState:
    """Verify ranges and build them in; answer `StateVerified`, `Refused` or `Failed`."""

    number: int
    request: bytes
    answer: bytes


@frozen
class VerifyCodes:
    """Verify codes and keep them; answer `CodesVerified`, `Refused` or `Failed`."""

    number: int
    request: bytes
    answer: bytes


@frozen
class VerifySurroundings:
    """Verify the block and what lies around it; answer `SurroundingsVerified`, `Refused` or `Failed`."""

    number: int
    answer: bytes


@frozen
class Finish:
    """Make the folder a chain that begins with the block; answer `Finished` or `Failed`."""

    target: Target


@frozen
class FindTarget:
    """No peer keeps the state of this block any more: hand in `TargetFound` with a newer one."""

    block: Hash32


@frozen
class SetTimer:
    """Hand in `TimerFired` at this time; one more than needed does no harm."""

    at_ms: Millis


@frozen
class Misbehaved:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


@frozen
class Progressed:
    """For people: how far the fetch is. SYNC-14."""

    height: Height
    done_millionths: int
    """Of the accounts, by their place in the order of keys, in which hashes are spread evenly."""
    counts: Counts
    accounts_estimate: int | None
    """Accounts in all, once enough is here to tell."""
    left_ms: int | None
    """Time that the rest takes at the speed so far, once enough is here to tell."""


@frozen
class Alarm:
    """Something a person must know."""

    reason: str


Effect: TypeAlias = (
    Begin
    | Ask
    | VerifyState
    | VerifyCodes
    | VerifySurroundings
    | Finish
    | FindTarget
    | SetTimer
    | Misbehaved
    | Progressed
    | Alarm
)
