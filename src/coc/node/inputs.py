"""Everything that can happen to a node, as its machine is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from coc.consensus.rotation.engine import HeadFacts
from coc.execution.mempool.inputs import Account, Candidate, Head, JournalFailed, Judged, Origin
from coc.primitives.types import Address, Hash32, Signature


@dataclass(frozen=True, slots=True)
class Start:
    """Begin; the pool's journal has been read."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time that `SetTimer` asked for has come."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """Transactions with their verdicts at `head`, in the order of arrival."""

    head: Hash32
    origin: Origin
    candidates: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class Mine:
    """Somebody wants a block now; `ticket` names the wish in the answer."""

    ticket: int
    timestamp_s: int | None


@dataclass(frozen=True, slots=True)
class BlockBuilt:
    """The block asked for is a candidate; `refused` are transactions that did not fit its rules."""

    hash: Hash32
    is_empty: bool
    refused: Sequence[Hash32]


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature asked for."""

    signature: Signature


@dataclass(frozen=True, slots=True)
class BlockDecided:
    """A block is durable and the head; with what it means for engine and pool."""

    engine_head: HeadFacts
    pool_head: Head
    changed: Mapping[Address, Account]
    included: Sequence[Hash32]
    rules_changed: bool


@dataclass(frozen=True, slots=True)
class SealingFailed:
    """The block in the making could not be built or written.

    `keeps_block`: the same sealed block may be decided later, when the disk allows.
    """

    reason: str
    keeps_block: bool = False


Input: TypeAlias = (
    Start
    | TimerFired
    | Arrived
    | Mine
    | BlockBuilt
    | Signed
    | BlockDecided
    | SealingFailed
    | Judged
    | JournalFailed
)
