"""The `bft` part of a genesis file's `coc` section: the timeouts of a chain that agrees by BFT.

They are rules of the chain: nodes with other timeouts would still agree, but not go on together, so no node
may have its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coc.execution.genesis_fields import field_error, number_of, object_of, refuse_unknown
from coc.primitives.frozen import frozen
from coc.primitives.limits import BFT_TIMEOUT_MS_MAX
from coc.primitives.strict_json import Json

_PLACE: Final = "config.coc.bft"


@frozen
class BftParameters:
    """Times in milliseconds, whole seconds where the name says so.

    A timeout is its base and `delta_ms` a round, never above `cap_ms`; prevotes and precommits share theirs.
    """

    propose_ms: int = 1_000
    vote_ms: int = 500
    delta_ms: int = 250
    cap_ms: int = 10_000
    resend_ms: int = 500
    clock_tolerance_s: int = 5

    def json(self) -> dict[str, Json]:
        """The section as a genesis file has it."""
        return {
            "proposeMs": self.propose_ms,
            "voteMs": self.vote_ms,
            "deltaMs": self.delta_ms,
            "capMs": self.cap_ms,
            "resendMs": self.resend_ms,
            "clockToleranceSeconds": self.clock_tolerance_s,
        }


def bft_parameters(section: Mapping[str, Json]) -> BftParameters:
    """Read the `bft` object of a `coc` section; every member must be there.

    Raises:
        GenesisInvalid: a member is missing, unknown or out of its range.
    """
    given = object_of(section, "bft", "config.coc")
    names = tuple(BftParameters().json())
    refuse_unknown(given, frozenset(names), _PLACE)
    read = BftParameters(*(number_of(given, name, BFT_TIMEOUT_MS_MAX, _PLACE) for name in names))
    for name, value in read.json().items():
        if value == 0:
            raise field_error(f"{_PLACE}.{name}", "is 0", "a time must pass, or nothing is ever waited for")
    if read.cap_ms < max(read.propose_ms, read.vote_ms):
        raise field_error(
            f"{_PLACE}.capMs",
            f"is {read.cap_ms}, below a timeout that it caps",
            f"write at least {max(read.propose_ms, read.vote_ms)}",
        )
    return read
