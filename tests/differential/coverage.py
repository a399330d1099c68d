"""What a case exercises, seen by the specification's own trace: opcodes, endings, precompiles, refusals.

The committed vectors are chosen by it: out of many seeds those that add most.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import eels
from .assembly import BuiltChain, build_chain
from .networks import Fork
from .plan import Chain, StateCase
from .statetests import BuiltCase, build_state_case

DEEP = 16
"""Call depths are told apart up to this one."""


def covered_by_chain(plan: Chain) -> tuple[BuiltChain, frozenset[str]]:
    """The finished chain and the names of what it exercises."""
    with _watching() as seen:
        built = build_chain(plan)
    era = plan.network.last.label
    for block in built.blocks:
        seen.add(f"refused {block.expected} {block.note}" if block.refusal else "valid")
        if block.ommers:
            seen.add(f"{len(block.ommers)} ommers")
    return built, frozenset(f"{era}: {name}" for name in seen)


def covered_by_case(plan: StateCase) -> tuple[BuiltCase, frozenset[str]]:
    """The finished state test and the names of what it exercises, in the words of its newest fork."""
    with _watching() as seen:
        built = build_state_case(plan)
    for fork, *_, outcome in built.results:
        seen.add(
            f"{fork.label} {(outcome.refused or 'accepted').partition(':')[0]} type {plan.transaction.kind}"
        )
    era = max(plan.forks[-1], Fork.BERLIN).label
    return built, frozenset(f"{era}: {name}" for name in seen)


@contextmanager
def _watching() -> Iterator[set[str]]:
    seen: set[str] = set()

    def observe(evm: Any, event: Any, **_: object) -> None:
        match type(event).__name__:
            case "OpStart":
                seen.add(str(getattr(event.op, "name", "unknown opcode")))
                seen.add(f"depth {min(int(evm.message.depth), DEEP)}")
            case "OpException":
                seen.add(f"frame ends with {type(event.error).__name__}")
            case "TransactionEnd":
                seen.add(f"transaction ends with {type(event.error).__name__}")
            case "PrecompileStart":
                seen.add(f"precompile {int.from_bytes(event.address, 'big')}")
            case _:
                pass

    eels.tracing.set_evm_trace(observe)
    try:
        yield seen
    finally:
        eels.tracing.set_evm_trace(eels.tracing.discard_evm_trace)
