"""The native core's tools for people who test EVMs: JSON texts in, JSON texts out.

Every call may take long and lets go of the interpreter lock. What does not read is a ValueError of one
sentence; a trace that cannot be written is an OSError.
"""

from __future__ import annotations

from pathlib import Path

from coc import _native
from coc.primitives.frozen import frozen


@frozen
class TransitionRules:
    """Which rules a transition follows, and how."""

    fork: str
    chain_id: int
    reward_wei: int
    """What the block earns; with -1 nobody is paid, and nobody is touched."""
    transactions_only: bool
    """No system calls, rewards, withdrawals or requests."""
    trace_folder: Path | None
    """Where the traces of its transactions go."""


def transition(inputs: tuple[bytes, bytes, bytes], rules: TransitionRules) -> tuple[bytes, bytes, bytes]:
    """Apply a block to a state: (alloc, env, txs) to (alloc, result, body)."""
    folder = rules.trace_folder
    return _native.evm_transition(
        *inputs,
        rules.fork,
        rules.chain_id,
        rules.reward_wei,
        rules.transactions_only,
        None if folder is None else str(folder),
    )


def run_code(request: bytes, genesis: bytes | None, *, trace: bool, bench: bool) -> bytes:
    """Run code once, or again and again to time it; a trace goes straight to standard output."""
    return _native.evm_run(request, genesis, trace, bench)


def run_statetests(text: bytes) -> bytes:
    """Run the state tests of one file: a JSON array of {name, fork, pass, stateRoot, error}."""
    return _native.run_statetests(text)


def run_blocktests(text: bytes) -> bytes:
    """Run the block tests of one file: a JSON array of {name, fork, pass, stateRoot, error}."""
    return _native.run_blocktests(text)
