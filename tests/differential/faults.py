"""Single faults: one thing wrong with an otherwise valid block.

Each fault takes the finished block apart and writes its bytes again with one change. Whether that makes the
block invalid is for the specification to say: a change it accepts is thrown away.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from importlib import import_module

from . import rlp
from .blocks import BlockBody, HeaderFields, keccak256
from .eels import Refused, Undefined
from .ledger import Ledger
from .networks import Fork
from .oracle import Specification, transactions_root


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """A valid block, its parent chain and a label from which the fault draws its dice."""

    ledger: Ledger
    spec: Specification
    fields: HeaderFields
    body: BlockBody
    label: str

    @property
    def dice(self) -> random.Random:
        """Randomness that depends on the label alone."""
        return random.Random(self.label)

    def number_in(self, name: str) -> int:
        """A header quantity."""
        value = self.fields[name]
        assert isinstance(value, int)
        return value

    def bytes_in(self, name: str) -> bytes:
        """A header's byte string."""
        value = self.fields[name]
        assert isinstance(value, bytes)
        return value

    def with_fields(self, **changed: bytes | int) -> bytes:
        """The block with other header fields, executed again where they have a bearing on execution."""
        if _EXECUTION_FIELDS.isdisjoint(changed):
            return self.body.encode(self.fields | changed)
        return self.executed_again(self.body, **changed)

    def executed_again(self, body: BlockBody, **changed: bytes | int) -> bytes:
        """The block with other contents and the roots they lead to: only the fault itself is wrong."""
        fields = self.fields | changed
        draft = dataclasses.replace(body, transactions=())
        try:
            outcome = self.ledger.execute(self.spec, fields, draft, lambda _: iter(body.transactions))
        except (Refused, Undefined):
            return self.with_body(body, **changed)
        return outcome.body.encode(fields | outcome.fields)

    def shifted(self, name: str, *steps: int) -> bytes | None:
        """The block with one quantity moved by one of the steps; None where that would be negative."""
        moved = self.number_in(name) + self.dice.choice(steps)
        return self.with_fields(**{name: moved}) if moved >= 0 else None

    def with_body(self, body: BlockBody, **changed: bytes | int) -> bytes:
        """The block with another body, its transaction root and ommers' hash made to fit."""
        fields = self.fields | {
            "transactions_root": transactions_root(self.spec, body.transactions),
            "ommers_hash": keccak256(rlp.encode(body.ommers)),
        }
        return body.encode(fields | changed)


_EXECUTION_FIELDS = frozenset(
    {"difficulty", "number", "gas_limit", "timestamp", "base_fee_per_gas", "excess_blob_gas"}
)
"""Header fields that programs or fees depend on and that have a rule of their own."""

Apply = Callable[[Attempt], bytes | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A named change; ``expected`` is the exception's name in the public test suites."""

    name: str
    expected: str
    since: Fork
    until: Fork
    apply: Apply


_FAULTS: dict[str, Fault] = {}


def fault(expected: str, since: Fork = Fork.FRONTIER, until: Fork = Fork.BPO2) -> Callable[[Apply], Apply]:
    """Register a function as the fault of its name, for blocks from one fork to another."""

    def register(apply: Apply) -> Apply:
        name = apply.__name__
        _FAULTS[name] = Fault(name, expected, since, until, apply)
        return apply

    return register


def fault_named(name: str) -> Fault:
    """Look a fault up."""
    return _all()[name]


def faults_of(fork: Fork) -> list[str]:
    """Names of the faults that make sense under a fork's rules."""
    return [name for name, one in _all().items() if one.since <= fork <= one.until]


def _all() -> dict[str, Fault]:
    for group in ("header_faults", "body_faults"):
        import_module(f"{__package__}.{group}")  # fills the table
    return _FAULTS
