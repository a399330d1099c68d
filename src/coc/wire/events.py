"""Everything a session tells its owner."""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives.errors import WireError
from coc.primitives.frozen import frozen
from coc.wire.errors import Reason
from coc.wire.identity import ProvenPeer
from coc.wire.kinds import Kind


@frozen
class Proven:
    """The peer is who it says; answer with `accept` or `leave`."""

    peer: ProvenPeer
    channel_hash: bytes
    """The same on both sides of the connection, and different for every connection."""


@frozen
class Opened:
    """Both sides have accepted: frames may travel."""


@frozen
class Received:
    """A frame of the peer."""

    kind: Kind
    payload: bytes


@frozen
class Closed:
    """The last event: nothing comes or is taken any more. What `data_to_send` still has should leave."""

    reason: Reason
    error: WireError | None = None
    """What went wrong, where something did."""
    is_peers_word: bool = False
    """Whether the peer gave the reason."""


Event: TypeAlias = Proven | Opened | Received | Closed
