"""Who may ask: host and origin rules, and the content types that are JSON.

A web page can make a browser send requests to any address, this node's included. Three rules keep it out: the
`Host` must be one of ours (a name that an attacker rebinds to 127.0.0.1 is not), the body must be declared as
JSON (which makes browsers ask first), and only listed origins are told yes when they ask.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from coc.primitives.frozen import frozen

_JSON_TYPES: Final = frozenset({b"application/json", b"application/json-rpc", b"application/jsonrequest"})
_ANY: Final = "*"
_REMEMBERED_MAX: Final = 1_024


@frozen
class AccessRules:
    """Host names this server answers to and origins that browsers may read its answers from; `*` means any.

    A literal IP address is always accepted as host: nobody can rebind one.
    """

    hosts: frozenset[str] = frozenset({"localhost"})
    origins: frozenset[str] = frozenset()


class Policy:
    """Answers by the rules, remembering the few values that clients really send."""

    __slots__ = ("_any_host", "_any_origin", "_hosts", "_rules", "_types")

    def __init__(self, rules: AccessRules) -> None:
        """Names are compared without regard to letter case."""
        self._rules = AccessRules(frozenset(host.lower() for host in rules.hosts), rules.origins)
        self._any_host = _ANY in rules.hosts
        self._any_origin = _ANY in rules.origins
        self._hosts: dict[bytes, bool] = {}
        self._types: dict[bytes, bool] = {}

    def host_allowed(self, host: bytes) -> bool:
        """Whether a `Host` header names this server; an absent one comes from no browser and passes."""
        known = self._hosts.get(host)
        if known is None:
            known = self._any_host or not host or self._names_us(host)
            _remember(self._hosts, host, known)
        return known

    def is_json(self, content_type: bytes) -> bool:
        """Whether a `Content-Type` declares JSON, in UTF-8 if it says which encoding."""
        known = self._types.get(content_type)
        if known is None:
            kind, _, parameters = content_type.lower().partition(b";")
            charset = parameters.replace(b" ", b"").replace(b'"', b"")
            known = kind.strip() in _JSON_TYPES and (
                b"charset=" not in charset or b"charset=utf-8" in charset
            )
            _remember(self._types, content_type, known)
        return known

    def cors_headers(self, origin: bytes | None) -> bytes:
        """Headers that let a page of this origin read the answer; empty for an origin that may not."""
        if origin is None or not (self._any_origin or self._lists(origin)):
            return b""
        if self._any_origin:
            return b"Access-Control-Allow-Origin: *\r\n"
        return b"Access-Control-Allow-Origin: %b\r\nVary: Origin\r\n" % origin

    def preflight_headers(self, origin: bytes | None, wants_private_network: bool) -> bytes:
        """Headers of the answer to a browser that asks first (Fetch standard, CORS preflight)."""
        allowed = self.cors_headers(origin)
        if not allowed:
            return b""
        allowed += (
            b"Access-Control-Allow-Methods: POST, GET, OPTIONS\r\n"
            b"Access-Control-Allow-Headers: content-type\r\n"
            b"Access-Control-Max-Age: 600\r\n"
        )
        if wants_private_network:
            allowed += b"Access-Control-Allow-Private-Network: true\r\n"
        return allowed

    def _names_us(self, host: bytes) -> bool:
        name = _without_port(host.decode("latin-1").lower())
        if name in self._rules.hosts:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True

    def _lists(self, origin: bytes) -> bool:
        return origin.decode("latin-1") in self._rules.origins


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _remember(cache: dict[bytes, bool], key: bytes, answer: bool) -> None:
    if len(cache) >= _REMEMBERED_MAX:
        cache.clear()
    cache[key] = answer
