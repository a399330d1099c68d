"""Everything that can happen to a node that looks for where it differs."""

from __future__ import annotations

import enum
from typing import TypeAlias

from coc.consensus.sync.divergence.report import DifferingAccount, DifferingTransaction, Field
from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, Height, PeerId


class Subject(enum.Enum):
    """What peers are asked for: the messages of snapshots serve here too (SYNC-2)."""

    RECEIPTS = enum.auto()
    ACCOUNTS = enum.auto()
    CODES = enum.auto()


@frozen
class Differed:
    """A block that its certificate proves final is invalid by our own execution."""

    height: Height
    block: Hash32


@frozen
class Examined:
    """The block was executed once more, beside the chain.

    `header` is what its header states and we do not get, `addresses` the accounts that it changed here,
    `codes` hashes under which our disk has other bytes.
    """

    header: tuple[Field, ...]
    refused: tuple[int, str] | None
    addresses: tuple[Address, ...]
    codes: tuple[Hash32, ...]


@frozen
class Failed:
    """Our own side cannot go on: state, log or index cannot be read."""

    reason: str


@frozen
class PeerCame:
    """One more can be asked."""

    peer: PeerId


@frozen
class PeerGone:
    """A peer is gone."""

    peer: PeerId


@frozen
class AnswerReceived:
    """A peer has answered a question about this."""

    peer: PeerId
    subject: Subject
    payload: bytes


@frozen
class ReceiptsCompared:
    """The receipts are the certified ones; `addresses` are the accounts to compare, in order."""

    number: int
    transaction: DifferingTransaction | None
    addresses: tuple[Address, ...]


@frozen
class AccountsCompared:
    """The answer proves itself and speaks of the first `count` accounts of the request."""

    number: int
    count: int
    account: DifferingAccount | None


@frozen
class CodesRestored:
    """What a peer gave is in its place; these are still missing."""

    number: int
    missing: tuple[Hash32, ...]


@frozen
class AnswerRefused:
    """The answer with this number does not prove itself."""

    number: int
    reason: str


@frozen
class TimerFired:
    """The time of a `SetTimer` has come; the head is at this height."""

    head: Height


Input: TypeAlias = (
    Differed
    | Examined
    | Failed
    | PeerCame
    | PeerGone
    | AnswerReceived
    | ReceiptsCompared
    | AccountsCompared
    | CodesRestored
    | AnswerRefused
    | TimerFired
)
