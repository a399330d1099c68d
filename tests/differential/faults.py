"""Single faults: one thing wrong with an otherwise valid block.

Each fault takes the finished block apart and writes its bytes again with one change. Whether that makes the block
invalid is for the specification to say: a change it accepts is thrown away.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from . import rlp
from .networks import Fork
from .oracle import BlockBody, HeaderFields, Ledger, Specification, encode_header, keccak256, transactions_root


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

    def with_fields(self, **changed: bytes | int) -> bytes:
        """The block with other header fields."""
        return self.body.encode(self.fields | changed)

    def with_body(self, body: BlockBody, **changed: bytes | int) -> bytes:
        """The block with another body, its transaction root and ommers' hash made to fit."""
        fields = self.fields | {
            "transactions_root": transactions_root(self.spec, body.transactions),
            "ommers_hash": keccak256(rlp.encode(body.ommers)),
        }
        return body.encode(fields | changed)


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A named change; ``expected`` is the exception's name in the public test suites."""

    name: str
    expected: str
    since: Fork
    until: Fork
    apply: Callable[[Attempt], bytes | None]


FAULTS: dict[str, Fault] = {}


def fault_named(name: str) -> Fault:
    """Look a fault up."""
    return FAULTS[name]


def faults_of(fork: Fork) -> list[str]:
    """Names of the faults that make sense under a fork's rules."""
    return [name for name, fault in FAULTS.items() if fault.since <= fork <= fault.until]


_Apply = Callable[[Attempt], bytes | None]


def _fault(expected: str, since: Fork = Fork.FRONTIER, until: Fork = Fork.BPO2) -> Callable[[_Apply], _Apply]:
    def register(apply: _Apply) -> _Apply:
        name = apply.__name__
        FAULTS[name] = Fault(name, expected, since, until, apply)
        return apply

    return register


@_fault("BlockException.INVALID_STATE_ROOT")
def wrong_state_root(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(state_root=attempt.dice.randbytes(32))
