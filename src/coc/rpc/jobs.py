"""What a method may hand back instead of an answer: work that somebody else has to do first.

A method runs on the thread that serves everyone. Reading memory is done at once; what may touch the disk or
run code leaves as a `Pooled` closure over immutable snapshots, a raw transaction as a `Submit`, and anything
that waits for the node as a `Wait`. `then` runs back on the serving thread with what came of it, and may hand
back another job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeGuard

from coc.primitives.frozen import frozen
from coc.rpc.errors import Json
from coc.rpc.ports import Outcome


@frozen
class Pooled:
    """Run `run` on a thread of the pool; it must not touch anything that a step changes."""

    run: Callable[[], Any]
    then: Callable[[Any], Answer] | None = None


@frozen
class Submit:
    """Admit a raw transaction, together with all others of this moment."""

    raw: bytes
    then: Callable[[Outcome], Answer]


@frozen
class Wait:
    """Begin something of the node's; it calls back once, on the serving thread."""

    begin: Callable[[Callable[[Exception | None], None]], None]
    then: Callable[[], Answer]


Job: TypeAlias = Pooled | Submit | Wait
Answer: TypeAlias = "Json | Job"
_JOBS: Final = frozenset((Pooled, Submit, Wait))


def is_job(answer: object) -> TypeGuard[Job]:
    """Whether this is work to be done. Asked often: `isinstance` that fails is dear for frozen classes."""
    return type(answer) in _JOBS
