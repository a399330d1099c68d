"""What every consensus engine is to the node: a machine, and the part of what it says that all engines share.

An engine is a pure machine. What it may be told and may ask for beside the types here is its own (its
`inputs.py` and `effects.py`): messages of peers, blocks, timers. What every engine must keep is one suite
that each of them passes, `tests/consensus/conformance`.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from coc.consensus.bft.wal import Record
from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest
from coc.primitives.types import Hash32, Millis, PeerId, Signature

Event_contra = TypeVar("Event_contra", contravariant=True)
Wish = TypeVar("Wish")


class ConsensusEngine(Protocol[Event_contra, Wish]):
    """Decides which blocks there are, and asks for everything else."""

    def step(self, now_ms: Millis, event: Event_contra, /) -> list[Wish]:
        """Apply one input and return what must now be done, in order."""
        ...


# ── What happens to every engine ────────────────────────────────────────────────────────────────────────────


@frozen
class Started:
    """The node runs and messages can leave."""


@frozen
class PeerGone:
    """The connection to a peer has ended."""

    peer: PeerId


@frozen
class Persisted:
    """The records of `Persist` with this number are durable."""

    sequence: int


@frozen
class PersistFailed:
    """The records of `Persist` with this number could not be written; nothing of them is in the log."""

    sequence: int
    reason: str


@frozen
class SignatureMade:
    """The signature asked for."""

    request: SignRequest
    signature: Signature


@frozen
class SignatureRefused:
    """The signer has signed this place, or a later one, for something else."""

    request: SignRequest
    reason: str


# ── What every engine may ask for ───────────────────────────────────────────────────────────────────────────


@frozen
class Fetch:
    """Get the bytes of a block, from these peers if any is named; the answer is the engine's own."""

    block: Hash32
    holders: tuple[PeerId, ...]


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
class Misbehaved:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


@frozen
class Alarm:
    """Something a person must know."""

    reason: str
