"""Endpoint and provider records: where a node is, and which content it has (DHT-24).

An endpoint record lies under keccak(1 ‖ public key), so whoever knows a validator's network key from the
chain finds its address without anyone's help. A provider record lies under keccak(2 ‖ content id), beside
those of the other providers. Both are claims for the node to sign with its network key.
"""

from __future__ import annotations

import enum

from coc.primitives import rlp
from coc.primitives.errors import WireError
from coc.primitives.frozen import frozen
from coc.primitives.limits_dht import RECORD_VALUE_BYTES_MAX
from coc.primitives.types import Hash32, Seconds
from coc.wire.dht.hosts import PORT_MAX, Host, is_mapped
from coc.wire.dht.records import Claim, RecordKind, content_id_of, key_of

ROLE_BITS = 32


class EndpointInvalid(WireError):
    """A value that is no endpoint: its publisher's fault."""

    id = "COC-DHT-ENDPOINT"


class Role(enum.IntFlag, boundary=enum.KEEP):
    """What a node does; bits of later versions are kept."""

    FULL = 1
    STORAGE = 2
    RELAY = 4
    VALIDATOR = 8


@frozen
class Endpoint:
    """Where a node can be dialled and what it does."""

    host: Host
    port: int
    roles: Role

    def items(self) -> list[rlp.Encodable]:
        """The RLP fields: host, port, roles."""
        return [self.host, self.port, int(self.roles)]


def endpoint_key(public_key: bytes) -> Hash32:
    """The key under which a node's endpoint record lies."""
    return key_of(RecordKind.ENDPOINT, public_key)


def provider_key(content_id: bytes) -> Hash32:
    """The key under which the provider records of a content lie."""
    return key_of(RecordKind.PROVIDER, content_id)


def endpoint_claim(public_key: bytes, endpoint: Endpoint, sequence: int, expiry: Seconds) -> Claim:
    """An endpoint record to be signed."""
    value = rlp.encode(endpoint.items())
    return Claim(RecordKind.ENDPOINT, endpoint_key(public_key), public_key, sequence, expiry, value)


def provider_claim(
    public_key: bytes, content_id: bytes, endpoint: Endpoint, sequence: int, expiry: Seconds
) -> Claim:
    """A provider record to be signed: the content id, then where its provider is."""
    value = rlp.encode([content_id, *endpoint.items()])
    return Claim(RecordKind.PROVIDER, provider_key(content_id), public_key, sequence, expiry, value)


def read_endpoint(claim: Claim) -> Endpoint:
    """Where the publisher of an endpoint or provider record says it is.

    Raises:
        EndpointInvalid: the value has another shape.
        RecordInvalid: a provider record does not begin with a content id.
    """
    try:
        items = rlp.decode_list(claim.value, bytes_max=RECORD_VALUE_BYTES_MAX)
        if claim.kind is RecordKind.PROVIDER:
            content_id_of(claim)
            items = items[1:]
        return _endpoint(items)
    except rlp.RlpInvalid as error:
        raise EndpointInvalid("not an endpoint", why=str(error)) from error


def _endpoint(items: list[rlp.Item]) -> Endpoint:
    match items:
        case [bytes(host), port, roles] if len(host) in {4, 16} and not is_mapped(host):
            endpoint = Endpoint(Host(host), rlp.uint(port, bits=16), Role(rlp.uint(roles, bits=ROLE_BITS)))
        case _:
            raise EndpointInvalid("not an endpoint", why="it has three fields: host, port, roles")
    if not 0 < endpoint.port <= PORT_MAX:
        raise EndpointInvalid("not an endpoint", why="port 0 cannot be dialled")
    return endpoint
