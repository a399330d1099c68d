"""Where a node can be dialled: addresses of hosts, which of them are taken, and what counts as one host.

Inside the machine a host is 4 or 16 raw bytes, never a name: all names would share one quota, and a name can
change what it points to. An IPv6 host counts by its first 48 bits, which is what one customer commonly gets;
an IPv4 address inside IPv6 is the IPv4 address (DHT-6).
"""

from __future__ import annotations

import enum
import ipaddress
from typing import NewType

from coc.primitives.errors import WireError
from coc.primitives.frozen import frozen
from coc.primitives.types import PeerId

Host = NewType("Host", bytes)
"""The raw bytes of an IP address, 4 or 16 of them."""

PORT_MAX = 65_535
_MAPPED_PREFIX = bytes(10) + b"\xff\xff"
_LOOPBACK_V6 = bytes(15) + b"\x01"
_GROUP_BYTES_V6 = 6


class HostInvalid(WireError):
    """Text or bytes that are no IP address in its one form."""

    id = "COC-DHT-HOST"


class Scope(enum.Enum):
    """From where a host can be reached."""

    GLOBAL = "global"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    NOWHERE = "nowhere"


@frozen
class Contact:
    """A node by its id, and where to dial it."""

    id: PeerId
    host: Host
    port: int

    @property
    def host_text(self) -> str:
        """The host for people and for effects."""
        return format_host(self.host)


@frozen
class HostPolicy:
    """Which hosts enter the table. On development chains loopback hosts do, without quota (DHT-6)."""

    takes_private: bool = False
    takes_loopback: bool = False

    def takes(self, host: Host) -> bool:
        """Whether a node at this host may be dialled and entered."""
        scope = scope_of(host)
        if scope is Scope.PRIVATE:
            return self.takes_private
        return self.takes_loopback if scope is Scope.LOOPBACK else scope is Scope.GLOBAL

    def quota_group(self, host: Host) -> bytes:
        """What shares one quota with this host; empty if it has none."""
        is_exempt = self.takes_loopback and scope_of(host) is Scope.LOOPBACK
        return b"" if is_exempt else group_of(host)


def parse_host(text: str) -> Host:
    """Read an IP address; a zone is dropped, since addresses that have one are never taken.

    Raises:
        HostInvalid: the text is a name, or nothing.
    """
    try:
        packed = ipaddress.ip_address(text).packed
    except ValueError as error:
        raise HostInvalid("not an IP address", why=str(error), cure="resolve the name first") from error
    return Host(packed[12:] if is_mapped(packed) else packed)


def is_mapped(packed: bytes) -> bool:
    """Whether this is an IPv4 address written as IPv6."""
    return len(packed) == 16 and packed.startswith(_MAPPED_PREFIX)


def format_host(host: Host) -> str:
    """Write a host as text."""
    return str(ipaddress.ip_address(bytes(host)))


def group_of(host: Host) -> bytes:
    """What shares one quota: the IPv4 address, or the first 48 bits of an IPv6 one."""
    return host if len(host) == 4 else host[:_GROUP_BYTES_V6]


def scope_of(host: Host) -> Scope:
    """From where a host can be reached."""
    return _scope_v4(host) if len(host) == 4 else _scope_v6(host)


def _scope_v4(host: bytes) -> Scope:
    first, second = host[0], host[1]
    if first == 127:
        return Scope.LOOPBACK
    if first == 10 or (first, second) == (192, 168) or (first == 172 and 16 <= second < 32):
        return Scope.PRIVATE
    if first == 100 and 64 <= second < 128:
        return Scope.PRIVATE
    if first == 0 or first >= 224 or (first, second) == (169, 254):
        return Scope.NOWHERE
    return Scope.GLOBAL


def _scope_v6(host: bytes) -> Scope:
    if host == _LOOPBACK_V6:
        return Scope.LOOPBACK
    if host[0] & 0xFE == 0xFC:
        return Scope.PRIVATE
    is_link_local = host[0] == 0xFE and host[1] & 0xC0 == 0x80
    if is_link_local or host[0] == 0xFF or not any(host):
        return Scope.NOWHERE
    return Scope.GLOBAL
