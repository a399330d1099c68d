"""Everything the mempool can ask for or make known.

The shell performs a step's effects in order. If a `JournalAppend` fails, it performs none of those that
follow in the same list and hands in `JournalFailed` at once: so nothing is acknowledged that is not in the
journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from coc.execution.mempool.inputs import Origin, PooledTransaction
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32


@frozen
class JournalAppend:
    """Hand these encoded transactions to the operating system before going on."""

    raws: Sequence[bytes]


@frozen
class JournalRewrite:
    """Replace the journal by these encoded transactions: all else in it is dead. Failing is harmless."""

    raws: Sequence[bytes]


@frozen
class Acknowledge:
    """Tell the client that the pool has taken its transaction."""

    hash: Hash32


@frozen
class Refuse:
    """Tell client or peer that its transaction was not taken, and why."""

    hash: Hash32
    code: str
    sentence: str


@frozen
class Added:
    """A transaction waits that did not before; `ready` when no earlier nonce of its sender is missing."""

    transaction: PooledTransaction
    ready: bool


@frozen
class BecameReady:
    """A gap before these waiting transactions was filled."""

    hashes: Sequence[Hash32]


@frozen
class Replaced:
    """`new` took the place (sender and nonce) of `old`."""

    old: Hash32
    new: Hash32


@frozen
class Evicted:
    """A waiting transaction made room for a better one."""

    hash: Hash32
    sentence: str


@frozen
class Dropped:
    """A waiting or acknowledged transaction can never run any more."""

    hash: Hash32
    code: str
    sentence: str


@frozen
class Included:
    """These waiting transactions are in the chain now."""

    hashes: Sequence[Hash32]


@frozen
class JudgeAgain:
    """Ask for verdicts and accounts at the current head.

    Candidates of a stale `Submit` come back as a `Submit` with the same origin; waiting transactions, which
    have no origin here, come back as `Judged`.
    """

    transactions: Sequence[PooledTransaction]
    origin: Origin | None


Effect: TypeAlias = (
    JournalAppend
    | JournalRewrite
    | Acknowledge
    | Refuse
    | Added
    | BecameReady
    | Replaced
    | Evicted
    | Dropped
    | Included
    | JudgeAgain
)
