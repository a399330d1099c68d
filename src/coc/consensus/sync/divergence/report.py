"""What is found out about a difference: each fact is proved against the certified header, or is our own."""

from __future__ import annotations

import enum
from typing import Final, TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Address, Hash32, Height

Field: TypeAlias = tuple[str, str, str]
"""What is not the same: its name, what we have, what is certified."""


RULES_FIELD: Final = "rules"
"""The field where a block breaks a rule here before any transaction: there is nothing to compare."""


class Cause(enum.Enum):
    """Why this node differs, as far as it is known."""

    UNKNOWN = "not known yet"
    PASSING = "executing it again gives what is certified: a fault of memory or processor that has passed"
    CODE = "contract code on this disk was damaged"
    STORE = "the state or the log on this disk cannot be read"
    EXECUTION = "the same state and the same block give another result here"


@frozen
class DifferingTransaction:
    """The first transaction that did something else than its certified receipt says."""

    index: int
    hash: Hash32
    fields: tuple[Field, ...]


@frozen
class DifferingAccount:
    """The first account, of those that the block changed here, that is not as the certified state has it."""

    address: Address
    fields: tuple[Field, ...]


@frozen
class DivergenceReport:
    """All that is known of the difference at one block."""

    height: Height
    block: Hash32
    cause: Cause = Cause.UNKNOWN
    is_complete: bool = False
    header: tuple[Field, ...] = ()
    """What the header states and our execution does not give."""
    transaction: DifferingTransaction | None = None
    account: DifferingAccount | None = None
    codes: tuple[Hash32, ...] = ()
    """Hashes under which our disk had other bytes."""
    note: str = ""
    """What stood in the way."""

    @property
    def sentence(self) -> str:
        """The report in one line, with the cure."""
        where = f"block {self.height:,} 0x{self.block.hex()} is certified and gives another result here"
        parts = [where, self.cause.value]
        if self.transaction is not None:
            names = ", ".join(name for name, _, _ in self.transaction.fields)
            parts.append(f"first at transaction {self.transaction.index} ({names})")
        if self.account is not None:
            names = ", ".join(name for name, _, _ in self.account.fields)
            parts.append(f"account 0x{self.account.address.hex()} ({names})")
        if self.note:
            parts.append(self.note)
        return "; ".join([*parts, f"this node does not vote until it agrees again; {_CURES[self.cause]}"])


_CURES = {
    Cause.UNKNOWN: "`coc admin divergence` shows what is found",
    Cause.PASSING: "it tries again by itself; have the machine's memory tested",
    Cause.CODE: "the code is fetched again and the block tried again by itself; have the disk tested",
    Cause.STORE: "the certified state has to be taken in; have the disk tested",
    Cause.EXECUTION: "the certified state has to be taken in; report this",
}
