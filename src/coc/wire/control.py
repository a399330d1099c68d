"""Payloads of the wire's own messages: goodbye and addresses, as RLP. The other control kinds are empty."""

from __future__ import annotations

from collections.abc import Sequence

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.limits_wire import ADDRESSES_PER_MESSAGE_MAX, WIRE_CONTROL_BYTES_MAX
from coc.wire.addresses import PeerAddress, host_of, packed
from coc.wire.errors import LocalError, Reason, RemoteError


def encode_goodbye(reason: Reason) -> bytes:
    """RLP of (number)."""
    return rlp.encode([int(reason)])


def decode_goodbye(payload: bytes) -> Reason:
    """Why the peer leaves; a number of a later release is `Reason.UNKNOWN`.

    Raises:
        RemoteError: it has another shape.
    """
    try:
        match rlp.decode(payload):
            case [bytes(number)]:
                return Reason.of(rlp.uint(number, bits=32))
            case _:
                raise RemoteError("a goodbye that does not read", why="it is a list of one number")
    except PrimitivesError as error:
        raise RemoteError("a goodbye that does not read", why=str(error)) from error


def encode_addresses(addresses: Sequence[PeerAddress]) -> bytes:
    """RLP of a list of (IP of 4 or 16 bytes, port).

    Whom to expect there is not told: hearsay about others' identities would only keep us from calling them.

    Raises:
        LocalError: more than `ADDRESSES_PER_MESSAGE_MAX`, or a host that is a name.
    """
    items: list[rlp.Encodable] = []
    for address in addresses:
        ip = packed(address.host)
        if ip is None:
            raise LocalError("a name cannot be told to peers", why=str(address))
        items.append([ip, address.port])
    if len(items) > ADDRESSES_PER_MESSAGE_MAX:
        raise LocalError("too many addresses for one message", why=f"{len(items)}")
    return rlp.encode(items)


def decode_addresses(payload: bytes) -> list[PeerAddress]:
    """Where a peer says that others can be reached.

    Raises:
        RemoteError: it has another shape, or more than `ADDRESSES_PER_MESSAGE_MAX` entries.
    """
    try:
        items = rlp.decode_list(payload, bytes_max=WIRE_CONTROL_BYTES_MAX)
        if len(items) <= ADDRESSES_PER_MESSAGE_MAX:
            return [_read_address(item) for item in items]
    except PrimitivesError as error:
        raise RemoteError("addresses that do not read", why=str(error)) from error
    raise RemoteError("too many addresses", why=f"{len(items)} where {ADDRESSES_PER_MESSAGE_MAX} are allowed")


def _read_address(item: rlp.Item) -> PeerAddress:
    match item:
        case [bytes(ip), bytes(port)] if len(ip) in (4, 16):
            number = rlp.uint(port, bits=16)
            if number:
                return PeerAddress(host_of(ip), number)
        case _:
            pass
    raise RemoteError("an address is an IP and a port")
