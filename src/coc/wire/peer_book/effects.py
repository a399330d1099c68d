"""Everything the peer book can ask for. Effects are carried out in the order of the list.

A connection has one number from its first effect (`Dial` or `Admit`) to `ConnectionEnded`.
"""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Millis, PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.errors import Reason


@frozen
class Dial:
    """Connect and shake hands; `expected` must answer, where it is known."""

    connection: int
    address: PeerAddress
    expected: PeerId | None


@frozen
class Admit:
    """Shake hands with whoever has dialled us."""

    connection: int


@frozen
class Welcome:
    """There is room for this proven peer."""

    connection: int


@frozen
class Leave:
    """Say goodbye and close; `ConnectionEnded` follows."""

    connection: int
    reason: Reason


@frozen
class Probe:
    """Ping the peer: it dialled again, so this connection may be dead."""

    connection: int


@frozen
class AskAddresses:
    """Ask a peer whom it knows; answer `AddressesTold`."""

    connection: int


@frozen
class TellAddresses:
    """Tell a peer whom we know."""

    connection: int
    addresses: tuple[PeerAddress, ...]


@frozen
class DialGivenUp:
    """What `DialWanted` asked for came to nothing."""

    address: PeerAddress
    peer: PeerId | None


@frozen
class Banned:
    """A peer, or an address, stays out until then; for people to read."""

    subject: str
    until_ms: Millis


@frozen
class Save:
    """Keep these bytes for the next start; a failure costs nothing but that."""

    data: bytes


Effect: TypeAlias = (
    Dial | Admit | Welcome | Leave | Probe | AskAddresses | TellAddresses | DialGivenUp | Banned | Save
)
