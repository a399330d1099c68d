"""Everything that can happen to the rotation machine of a network."""

from __future__ import annotations

import enum
from typing import TypeAlias

from coc.consensus.engine import (
    PeerGone,
    Persisted,
    PersistFailed,
    SignatureMade,
    SignatureRefused,
    Started,
)
from coc.consensus.rotation.evidence import DoubleSeal
from coc.consensus.rotation.messages import Status
from coc.consensus.rotation.rules import BlockFacts, SealedFacts
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, PeerId
from coc.primitives.votes import Proposal


class TimerKind(enum.Enum):
    """What a timer is for."""

    SLOT = "slot"
    """A slot of ours begins."""
    HELD = "held"
    """A slot begins whose seal is held."""
    RESEND = "resend"


@frozen
class Timer:
    """A timer by what it is for; `RESEND` has no slot of its own and uses zero."""

    kind: TimerKind
    slot: int


@frozen
class SealReceived:
    """A peer announced a sealed block."""

    peer: PeerId
    seal: Proposal


@frozen
class StatusReceived:
    """A peer said where it stands."""

    peer: PeerId
    status: Status


@frozen
class EvidenceReceived:
    """A peer sent evidence."""

    peer: PeerId
    evidence: DoubleSeal


@frozen
class BlockArrived:
    """The bytes of a block are here, and are what its hash says."""

    facts: BlockFacts


@frozen
class RangeArrived:
    """A peer sent blocks of its chain, rising by one, each with its seal."""

    peer: PeerId
    blocks: tuple[SealedFacts, ...]


@frozen
class Built:
    """The block asked for exists and was executed; it is valid."""

    facts: BlockFacts


@frozen
class Executed:
    """The verdict on a block."""

    block: Hash32
    is_valid: bool


@frozen
class Recorded:
    """The block and its seal are durable in the block log."""

    block: Hash32


@frozen
class TimerFired:
    """A timer that was asked for has gone off."""

    timer: Timer


Input: TypeAlias = (
    Started
    | SealReceived
    | StatusReceived
    | EvidenceReceived
    | PeerGone
    | BlockArrived
    | RangeArrived
    | Built
    | Executed
    | Recorded
    | Persisted
    | PersistFailed
    | SignatureMade
    | SignatureRefused
    | TimerFired
)
