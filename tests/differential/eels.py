"""The packages of the executable specification, loaded by name and untyped, and the two ways it says no.

All other modules reach EELS through this one, :mod:`.oracle` and :mod:`.trial`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

exceptions: Any = import_module("ethereum.exceptions")
criteria: Any = import_module("ethereum.fork_criteria")
hashing: Any = import_module("ethereum.crypto.hash")
numeric: Any = import_module("ethereum_types.numeric")
strings: Any = import_module("ethereum_types.bytes")
encoding: Any = import_module("ethereum_rlp.rlp")
tracing: Any = import_module("ethereum.trace")
_encoding_exceptions: Any = import_module("ethereum_rlp.exceptions")

REFUSALS: tuple[type[Exception], ...] = (exceptions.EthereumException, _encoding_exceptions.RLPException)
"""What EELS raises on purpose."""


class Refused(Exception):
    """The specification refuses a block or transaction; ``reason`` is the name and text of its exception."""

    def __init__(self, error: BaseException) -> None:
        self.reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        super().__init__(self.reason)


class Undefined(Exception):
    """The specification fell over instead of judging: such an input proves nothing and is thrown away."""


@contextmanager
def judgement() -> Iterator[None]:
    """Turn what EELS raises within into Refused or Undefined."""
    try:
        yield
    except (Refused, Undefined):
        raise
    except REFUSALS as error:
        raise Refused(error) from error
    except Exception as error:
        raise Undefined(repr(error)) from error


def quantity(number: int) -> Any:
    """A natural number as EELS counts."""
    return numeric.Uint(number)
