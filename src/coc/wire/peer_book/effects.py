"""Everything the peer book can ask for. Effects are carried out in the order of the list.

A connection has one number from its first effect (`Dial` or `Admit`) to `ConnectionEnded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from coc.primitives.types import Millis, PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.errors import Reason


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect and shake hands; `expected` must answer, where it is known."""

    connection: int
    address: PeerAddress
    expected: PeerId | None


@dataclass(frozen=True, slots=True)
class Admit:
    """Shake hands with whoever has dialled us."""

    connection: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """There is room for this proven peer."""

    connection: int


@dataclass(frozen=True, slots=True)
class Leave:
    """Say goodbye and close; `ConnectionEnded` follows."""

    connection: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Probe:
    """Ping the peer: it dialled again, so this connection may be dead."""

    connection: int


@dataclass(frozen=True, slots=True)
class AskAddresses:
    """Ask a peer whom it knows; answer `AddressesTold`."""

    connection: int


@dataclass(frozen=True, slots=True)
class TellAddresses:
    """Tell a peer whom we know."""

    connection: int
    addresses: tuple[PeerAddress, ...]


@dataclass(frozen=True, slots=True)
class DialGivenUp:
    """What `DialWanted` asked for came to nothing."""

    address: PeerAddress
    peer: PeerId | None


@dataclass(frozen=True, slots=True)
class Banned:
    """A peer, or an address, stays out until then; for people to read."""

    subject: str
    until_ms: Millis


@dataclass(frozen=True, slots=True)
class Save:
    """Keep these bytes for the next start; a failure costs nothing but that."""

    data: bytes


Effect: TypeAlias = (
    Dial | Admit | Welcome | Leave | Probe | AskAddresses | TellAddresses | DialGivenUp | Banned | Save
)
