"""Whose fault it is: a peer that broke the protocol, or a caller of ours that asked for what cannot be.

Both descend from `WireError`. A `RemoteError` ends one connection and is nobody's business but that peer's;
a `LocalError` is a defect of the program. `Reason` is why a connection ends, in a number that travels in
GOODBYE.
"""

from __future__ import annotations

import enum
from typing import ClassVar

from coc.primitives.errors import WireError


class Reason(enum.IntEnum):
    """Why a connection ends; numbers never change once released."""

    UNKNOWN = 0
    """The other side gave a number that this release does not know, or none."""
    SHUTTING_DOWN = 1
    OTHER_VERSION = 2
    OTHER_GENESIS = 3
    OTHER_FORKS = 4
    OWN_IDENTITY = 5
    """The node has dialled itself."""
    UNEXPECTED_IDENTITY = 6
    """Somebody else answers where another identity was expected."""
    IDENTITY_NOT_PROVEN = 7
    """The signature is not the named key's over this very channel: a forged or relayed handshake."""
    TOO_MANY_PEERS = 8
    DUPLICATE = 9
    """Another connection between the same two nodes is kept."""
    BANNED = 10
    PROTOCOL_BROKEN = 11
    TOO_SLOW = 12
    """The other side does not read, or does not finish what it began to send."""
    SILENT = 13
    """Nothing was heard for too long."""
    HANDSHAKE_TIMEOUT = 14
    LOST = 15
    """The connection broke. Never sent: nobody is left to read it."""
    NOT_NEEDED = 16
    """The connection was made for one question, and that is answered."""
    DISMISSED = 17
    """An operator has ended it."""

    @classmethod
    def of(cls, number: int) -> Reason:
        """The reason behind a number that came from a peer."""
        return cls(number) if number in _NUMBERS else cls.UNKNOWN


_NUMBERS = frozenset(int(reason) for reason in Reason)


class RemoteError(WireError):
    """The peer did what no honest peer does, or is on another chain or release."""

    id: ClassVar[str] = "COC-WIRE-REMOTE"

    def __init__(
        self, what: str, *, why: str = "", cure: str = "", reason: Reason = Reason.PROTOCOL_BROKEN
    ) -> None:
        """`reason` is what the peer is told."""
        super().__init__(what, why=why, cure=cure)
        self.reason = reason


class LocalError(WireError):
    """Our side asked the wire for what it cannot do."""

    id: ClassVar[str] = "COC-WIRE-LOCAL"
