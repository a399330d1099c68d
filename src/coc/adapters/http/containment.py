"""The outermost edge of a call: nothing that a method raises gets past it."""

from __future__ import annotations

from collections.abc import Callable

from coc.rpc.dispatch import Guard
from coc.rpc.errors import CallError
from coc.rpc.faults import Translator
from coc.rpc.jobs import Answer


def contain_everything(translator: Translator) -> Guard:
    """A guard under which a defect costs one call an error with an id, and the node nothing."""

    def guard(step: Callable[[], Answer]) -> Answer | CallError:
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - this is the edge that the rule speaks of
            return translator.translate(error)

    return guard
