"""Everything that a node which looks for where it differs can ask for."""

from __future__ import annotations

from typing import TypeAlias

from coc.consensus.sync.divergence.inputs import Subject
from coc.consensus.sync.divergence.report import DivergenceReport
from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, Height, Millis, PeerId


@frozen
class Examine:
    """Execute the block beside the chain and look through our codes; answer `Examined` or `Failed`."""

    height: Height
    block: Hash32


@frozen
class Ask:
    """Send a peer a question; one that is lost is made good by a timeout."""

    peer: PeerId
    subject: Subject
    payload: bytes


@frozen
class CompareReceipts:
    """Hold receipts to the header and to ours; answer `ReceiptsCompared`, `AnswerRefused` or `Failed`."""

    number: int
    body: bytes


@frozen
class CompareAccounts:
    """Hold accounts to the header and to ours; answer `AccountsCompared`, `AnswerRefused` or `Failed`."""

    number: int
    addresses: tuple[Address, ...]
    request: bytes
    body: bytes


@frozen
class RestoreCodes:
    """Put codes where damaged ones are; answer `CodesRestored`, `AnswerRefused` or `Failed`."""

    number: int
    request: bytes
    body: bytes


@frozen
class Tell:
    """Tell a person, and keep the report where it can be read."""

    report: DivergenceReport


@frozen
class Healed:
    """The node has come past the block, with the certified roots."""

    report: DivergenceReport


@frozen
class Uncured:
    """Nothing that the search can do cures it: only the certified state is left (DIVERGE-9)."""

    report: DivergenceReport


@frozen
class SetTimer:
    """Hand in `TimerFired` at this time; one more than needed does no harm."""

    at_ms: Millis


@frozen
class Misbehaved:
    """A peer sent what no honest peer sends."""

    peer: PeerId
    reason: str


Effect: TypeAlias = (
    Examine
    | Ask
    | CompareReceipts
    | CompareAccounts
    | RestoreCodes
    | Tell
    | Healed
    | Uncured
    | SetTimer
    | Misbehaved
)
