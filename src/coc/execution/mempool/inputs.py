"""Everything that can happen to the mempool.

Facts about accounts and verdicts about transactions are read by the shell at one named head and handed over
with the input, so a step never waits. An input that names another head than the pool's is answered with
`JudgeAgain`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final, Protocol, TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, Height


class PooledTransaction(Protocol):
    """A decoded transaction; the native `Transaction` has these attributes and more.

    The pool reads all but `to`, `value` and `json`, which only those need to whom its view hands one.
    """

    @property
    def hash(self) -> bytes:
        """keccak256 of the encoding."""
        ...

    @property
    def sender(self) -> bytes:
        """20 bytes, recovered from the signature."""
        ...

    @property
    def nonce(self) -> int:
        """Its place among the sender's transactions."""
        ...

    @property
    def to(self) -> bytes | None:
        """20 bytes, or `None` for a creation."""
        ...

    @property
    def value(self) -> int:
        """Wei it transfers."""
        ...

    @property
    def gas_limit(self) -> int:
        """Gas it may use."""
        ...

    @property
    def max_fee_per_gas(self) -> int:
        """Fee cap in wei a gas; the gas price of a legacy transaction."""
        ...

    @property
    def max_priority_fee_per_gas(self) -> int:
        """Tip cap in wei a gas; the gas price of a legacy transaction."""
        ...

    @property
    def max_fee_per_blob_gas(self) -> int:
        """Blob fee cap in wei a blob gas; 0 without blobs."""
        ...

    @property
    def blob_count(self) -> int:
        """How many blobs it carries."""
        ...

    @property
    def authorities(self) -> Sequence[bytes]:
        """Accounts whose code it would set, 20 bytes each (EIP-7702)."""
        ...

    @property
    def max_cost(self) -> int:
        """Wei it may cost: value and all gas at its caps."""
        ...

    @property
    def size(self) -> int:
        """Bytes of the encoding."""
        ...

    @property
    def raw(self) -> bytes:
        """The canonical encoding."""
        ...

    def json(self) -> bytes:
        """What execution-apis shows of a pending transaction: block fields null."""
        ...


class Standing(enum.IntEnum):
    """The one answer of the transition rules for a transaction on a state; numbers as the native module's."""

    NOW = 0
    LATER = 1
    NEVER = 2


@frozen
class Verdict:
    """A standing with a stable code and a sentence; both are empty for `NOW`."""

    standing: Standing
    code: str = ""
    sentence: str = ""


RUNS_NOW: Final = Verdict(Standing.NOW)


@frozen
class Account:
    """A sender's account in the state of the head."""

    nonce: int
    balance: int
    """In wei."""
    has_code: bool = False
    """True for an account that has delegated to code (EIP-7702): others may spend its balance."""


@frozen
class Head:
    """The block that the pool stands on, and the prices its child will ask."""

    hash: Hash32
    height: Height
    base_fee: int
    """Of the child, in wei a gas; 0 before EIP-1559."""
    blob_base_fee: int
    """Of the child, in wei a blob gas; 0 before EIP-4844."""
    gas_limit: int
    """Of the child."""


@frozen
class Candidate:
    """A decoded transaction with its verdict and its sender's account, both at the head its input names."""

    transaction: PooledTransaction
    verdict: Verdict
    account: Account


class Origin(enum.Enum):
    """Where a candidate came from, which decides what it is promised."""

    LOCAL = "local"
    """A client waits for the answer: journalled before it is acknowledged."""
    PEER = "peer"
    """Gossip: kept in memory only."""
    JOURNAL = "journal"
    """Read back at start: acknowledged earlier, already in the journal."""
    ORPHAN = "orphan"
    """Was in a block that a reorganisation took back."""


@frozen
class Submit:
    """Candidates judged at `head`; all of one origin, in the order they arrived."""

    head: Hash32
    origin: Origin
    candidates: Sequence[Candidate]


@frozen
class HeadChanged:
    """The chain's head is another block."""

    head: Head
    changed: Mapping[Address, Account]
    """Accounts that differ between the old head and the new; those the pool does not know are ignored."""
    included: Sequence[Hash32] = ()
    """Transactions of the blocks between the common ancestor and the new head."""
    orphaned: Sequence[Candidate] = ()
    """Transactions of the blocks taken back, without the included ones, judged at the new head."""
    rules_changed: bool = False
    """A fork became active: every verdict must be asked for again."""


@frozen
class Judged:
    """New verdicts on waiting transactions, from the builder or as the answer to `JudgeAgain`."""

    head: Hash32
    verdicts: Sequence[tuple[Hash32, Verdict]] = field(default_factory=tuple)


@frozen
class JournalFailed:
    """The `JournalAppend` of the last step could not be written; nothing after it was performed.

    Must be the very next input after that step.
    """

    reason: str


Input: TypeAlias = Submit | HeadChanged | Judged | JournalFailed
