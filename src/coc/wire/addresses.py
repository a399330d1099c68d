"""Where a node can be reached, and what an address says about its owner.

A host is an IP address, or a name that an operator wrote in a configuration; names never come from peers. For
caps and bans an address counts as its IP (IPv4) or its /64 (IPv6, which is what one customer gets), and for
diversity as its network (IPv4 /16, IPv6 /32).
"""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass
from typing import Final, TypeAlias

from coc.primitives.limits_wire import HOST_CHARS_MAX
from coc.wire.errors import LocalError

PORT_MAX: Final = 65_535

_Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class Scheme(enum.StrEnum):
    """How a node is reached at an address."""

    TCP = "tcp"
    HTTP = "http"
    """Over HTTP, where nothing else gets through (`coc.wire.http_gossip`)."""
    HTTPS = "https"
    """The same behind a proxy that speaks TLS."""


@dataclass(frozen=True, slots=True, order=True)
class PeerAddress:
    """Host and port of a node's listening socket; peers tell each other of TCP only."""

    host: str
    port: int
    scheme: Scheme = Scheme.TCP

    @property
    def authority(self) -> str:
        """Host and port, as people and HTTP write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        """As people write it."""
        return self.authority if self.scheme is Scheme.TCP else f"{self.scheme}://{self.authority}"


def parse_peer_address(text: str) -> PeerAddress:
    """Read `host:port` or `[IPv6]:port`.

    Raises:
        LocalError: the text has another form.
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= PORT_MAX
    if not colon or not 0 < len(host) <= HOST_CHARS_MAX or not host.isprintable() or not is_port:
        raise LocalError(
            "not the address of a node",
            why=f"got {text[:HOST_CHARS_MAX]!r}",
            cure="write host:port, or [IPv6]:port",
        )
    return PeerAddress(canonical_host(host), int(port))


def host_of(packed: bytes) -> str:
    """The text of 4 or 16 bytes."""
    return canonical_host(str(ipaddress.ip_address(packed)))


def packed(host: str) -> bytes | None:
    """The 4 or 16 bytes of an IP address; None for a name."""
    found = _ip(host)
    return None if found is None else found.packed


def is_loopback(host: str) -> bool:
    """Whether the host is this very machine."""
    found = _ip(host)
    return host == "localhost" if found is None else found.is_loopback


def is_global(host: str) -> bool:
    """Whether everybody on the internet means the same machine by it."""
    found = _ip(host)
    return found is not None and found.is_global and not found.is_multicast


def is_usable(host: str) -> bool:
    """Whether one can connect to it at all from somewhere: no broadcast, multicast, link-local or `any`."""
    found = _ip(host)
    if found is None or found.is_loopback:
        return found is not None
    return not (found.is_multicast or found.is_unspecified or found.is_link_local or found.is_reserved)


def owner_of(host: str) -> str:
    """What counts as one for caps and bans."""
    return _network(host, 32, 64)


def network_of(host: str) -> str:
    """What counts as one for diversity."""
    return _network(host, 16, 32)


def _network(host: str, bits_v4: int, bits_v6: int) -> str:
    found = _ip(host)
    if found is None:
        return host
    bits = bits_v4 if found.version == 4 else bits_v6
    return str(ipaddress.ip_network((found, bits), strict=False))


def canonical_host(host: str) -> str:
    """The one spelling of a host: lower case, shortest IPv6, IPv4 where IPv6 only wraps it."""
    found = _ip(host)
    return host.lower() if found is None else str(found)


def _ip(host: str) -> _Ip | None:
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found
