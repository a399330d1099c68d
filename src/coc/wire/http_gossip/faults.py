"""What can be wrong with a request, what HTTP says to it, and what it costs the address that sent it.

A request proves its sender by a signature, and what does not prove it says nothing about the named sender: so
every fault here is that of an address, and no peer loses anything by it. HTTP-7.
"""

from __future__ import annotations

import enum
from typing import ClassVar

from coc.primitives.errors import WireError


class Fault(enum.Enum):
    """A kind of fault: the status of the answer, and points of `REPUTATION_BAN_POINTS_MIN`."""

    MALFORMED = (400, 25)
    """No envelope, or one with more or less than it should have."""
    FORGED = (401, 25)
    """Not signed by the sender, or signed for another path, body or session."""
    FOREIGN = (421, 5)
    """Of another chain."""
    UNTIMELY = (425, 5)
    """The clocks differ too much, or the request is old."""
    REPEATED = (409, 10)
    """It was here before."""
    OUT_OF_ORDER = (409, 5)
    """Neither the next of its lane, nor the last one again."""
    NO_SESSION = (410, 2)
    """The session has ended, or never was; a node that has started anew says so to all."""
    NO_ROOM = (503, 0)
    """The address is banned or crowded."""

    @property
    def status(self) -> int:
        """What HTTP says."""
        return self.value[0]

    @property
    def points(self) -> int:
        """What it costs the address."""
        return self.value[1]


class LetterRefused(WireError):
    """A request or an answer that is not taken."""

    id: ClassVar[str] = "COC-HTTP-GOSSIP"

    def __init__(self, fault: Fault, what: str, *, why: str = "", cure: str = "") -> None:
        """`fault` is what the other side is told."""
        super().__init__(what, why=why, cure=cure)
        self.fault = fault
