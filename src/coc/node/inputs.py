"""Everything that can happen to a node, as its machine is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from coc.consensus.rotation.engine import HeadFacts
from coc.execution.mempool.inputs import Account, Candidate, Head, JournalFailed, Judged, Origin
from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, Signature


@frozen
class Start:
    """Begin; the pool's journal has been read."""


@frozen
class TimerFired:
    """The time that `SetTimer` asked for has come."""


@frozen
class Arrived:
    """Transactions with their verdicts at `head`, in the order of arrival."""

    head: Hash32
    origin: Origin
    candidates: Sequence[Candidate]


@frozen
class Mine:
    """Somebody wants a block now; `ticket` names the wish in the answer."""

    ticket: int
    timestamp_s: int | None


@frozen
class BlockBuilt:
    """The block asked for is a candidate; `refused` are transactions that did not fit its rules."""

    hash: Hash32
    is_empty: bool
    refused: Sequence[Hash32]


@frozen
class Signed:
    """The signature asked for."""

    signature: Signature


@frozen
class BlockDecided:
    """A block is durable and the head; with what it means for engine and pool."""

    engine_head: HeadFacts
    pool_head: Head
    changed: Mapping[Address, Account]
    included: Sequence[Hash32]
    rules_changed: bool


@frozen
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
