"""The table of nodes of a live node: its randomness, where it begins, what it says of itself (DHT-26)."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence
from typing import Final

from coc.adapters.validator.peer_errands import Introduction
from coc.node.validator.build import TableConfig
from coc.primitives.limits_dht import RECORD_TTL_SECONDS_MAX
from coc.primitives.secp256k1 import public_key_of
from coc.primitives.types import Millis, Seconds
from coc.wire.addresses import Scheme
from coc.wire.dht.endpoints import Endpoint, Role, endpoint_claim
from coc.wire.dht.hosts import Host, HostPolicy, Scope, parse_host, scope_of
from coc.wire.dht.rules import Bootstrap, Setup
from coc.wire.peer_book.rules import PersistentPeer

RANDOMNESS_BYTES: Final = 32
OUTSIDE: Final = {4: ("192.0.2.1", "127.0.0.1"), 16: ("2001:db8::1", "::1")}
"""By the length of an address: one that routes like the internet and is nobody's, and this machine's own."""
DISCARD_PORT: Final = 9


def table_config(
    introduction: Introduction,
    place: tuple[str, int],
    role: Role,
    peers: Sequence[PersistentPeer],
    now_ms: Millis,
) -> TableConfig:
    """The table of a node that listens at this IP and port, and begins with these peers."""
    host = outward_host(place[0])
    scope = scope_of(host)
    public_key = public_key_of(introduction.identity)
    expiry = Seconds(now_ms // 1_000 + RECORD_TTL_SECONDS_MAX)
    claim = endpoint_claim(public_key, Endpoint(host, place[1], role), now_ms, expiry)
    setup = Setup(
        introduction.genesis_hash,
        public_key,
        secrets.token_bytes(RANDOMNESS_BYTES),
        tuple(
            Bootstrap(each.address.host, each.address.port, each.peer)
            for each in peers
            if each.address.scheme is Scheme.TCP  # the table dials nothing else
        ),
        HostPolicy(takes_private=scope is not Scope.GLOBAL, takes_loopback=scope is Scope.LOOPBACK),
    )
    return TableConfig(setup, introduction.sign(claim))


def outward_host(listening: str) -> Host:
    """Where a node that listens at this IP says it is: instead of everywhere, where it speaks from."""
    host = parse_host(listening.partition("%")[0])
    if any(host):
        return host
    outside, own = OUTSIDE[len(host)]
    family = socket.AF_INET if len(host) == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((outside, DISCARD_PORT))  # chooses a route and sends nothing
            return parse_host(str(probe.getsockname()[0]).partition("%")[0])
    except OSError:
        return parse_host(own)
