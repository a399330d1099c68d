"""Everything that can happen to the BFT machine."""

from __future__ import annotations

import enum
from typing import TypeAlias

from coc.consensus.bft.evidence import Offence
from coc.consensus.bft.messages import Status
from coc.consensus.bft.rules import BlockFacts, HeightFacts
from coc.consensus.bft.wal import Record
from coc.consensus.engine import (
    PeerGone,
    Persisted,
    PersistFailed,
    SignatureMade,
    SignatureRefused,
    Started,
)
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Height, PeerId
from coc.primitives.votes import CommitCertificate, Evidence, Proposal, Vote

__all__ = [
    "BlockArrived",
    "Built",
    "CertificateReceived",
    "EvidenceReceived",
    "EvidenceSettled",
    "Executed",
    "HeightOpened",
    "Input",
    "PeerCame",
    "PeerGone",
    "PeerId",
    "PersistFailed",
    "Persisted",
    "ProposalReceived",
    "SignatureMade",
    "SignatureRefused",
    "Started",
    "StatusReceived",
    "Timer",
    "TimerFired",
    "TimerKind",
    "VoteReceived",
]


class TimerKind(enum.Enum):
    """What a timer is for."""

    DUE = "due"
    PROPOSE = "propose"
    PREVOTE = "prevote"
    PRECOMMIT = "precommit"
    RESEND = "resend"


@frozen
class Timer:
    """A timer by what it is for; `RESEND` has no height or round of its own and uses zeros."""

    kind: TimerKind
    height: Height
    round: int


@frozen
class HeightOpened:
    """The block before is in the log: this height begins, or goes on from its records after a restart."""

    facts: HeightFacts
    records: tuple[Record, ...] = ()


@frozen
class PeerCame:
    """A peer is connected and can be told things."""

    peer: PeerId


@frozen
class ProposalReceived:
    """A peer sent a proposal."""

    peer: PeerId
    proposal: Proposal


@frozen
class VoteReceived:
    """A peer sent a vote."""

    peer: PeerId
    vote: Vote


@frozen
class CertificateReceived:
    """A peer sent a commit certificate."""

    peer: PeerId
    certificate: CommitCertificate


@frozen
class StatusReceived:
    """A peer said where it stands."""

    peer: PeerId
    status: Status


@frozen
class EvidenceReceived:
    """A peer sent evidence."""

    peer: PeerId
    evidence: Evidence


@frozen
class EvidenceSettled:
    """A decided block has included evidence of these offences, or none can any more (BFT-46)."""

    offences: tuple[Offence, ...]


@frozen
class BlockArrived:
    """The bytes and consensus data of a block are here, and are what its hash says."""

    block: Hash32


@frozen
class Built:
    """The block asked for exists and was executed; it is valid."""

    height: Height
    round: int
    block: Hash32
    facts: BlockFacts


@frozen
class Executed:
    """The verdict on a block: its facts, or None if it is invalid."""

    block: Hash32
    facts: BlockFacts | None


@frozen
class Diverged:
    """A block that is certified at the height in progress is invalid by our own execution."""


@frozen
class TimerFired:
    """A timer that was asked for has gone off."""

    timer: Timer


Input: TypeAlias = (
    Started
    | HeightOpened
    | PeerCame
    | ProposalReceived
    | VoteReceived
    | CertificateReceived
    | StatusReceived
    | EvidenceReceived
    | EvidenceSettled
    | PeerGone
    | BlockArrived
    | Built
    | Executed
    | Persisted
    | PersistFailed
    | SignatureMade
    | SignatureRefused
    | Diverged
    | TimerFired
)
