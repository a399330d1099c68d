"""A guard for places that want defects to be loud: tests and the simulator.

It turns errors that the native side and the methods raise on purpose into error objects, and lets everything
else fly. The live program wraps it with one that catches everything (`adapters/http/containment.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from coc.rpc.dispatch import Guard
from coc.rpc.errors import CallError
from coc.rpc.faults import Translator
from coc.rpc.jobs import Answer


def planned_errors_only(translator: Translator) -> Guard:
    """A guard that answers planned errors and raises the rest."""
    faults = translator.faults
    planned = (
        CallError,
        faults.call_failed,
        faults.transaction_invalid,
        faults.limit_exceeded,
        faults.pruned,
        faults.storage_failed,
    )

    def guard(step: Callable[[], Answer]) -> Answer | CallError:
        try:
            return step()
        except planned as error:
            return translator.translate(error)

    return guard
