"""A request whose head is the last one's, byte for byte: what a client sends that asks again and again.

Equal bytes at the start of a request mean the same to the parser, so it need not read them twice. Anything
else goes its usual way: another byte, another length, a request in pieces, or two in one.
"""

from __future__ import annotations

from coc.adapters.http.requests import HttpRequest
from coc.primitives.frozen import frozen

_END_OF_HEAD = b"\r\n\r\n"


@frozen
class Pattern:
    """A request that was read whole, and the bytes of its head."""

    head: bytes
    size_bytes: int
    request: HttpRequest

    def match(self, data: bytes) -> HttpRequest | None:
        """The request that these bytes are, if they differ from the pattern in nothing but the body."""
        if len(data) != self.size_bytes or not data.startswith(self.head):
            return None
        known = self.request
        return HttpRequest(
            known.method,
            known.target,
            known.headers,
            data[len(self.head) :],
            known.keep_alive,
            known.is_http_1_0,
        )


def pattern_of(data: bytes, request: HttpRequest) -> Pattern | None:
    """The pattern of a request that these bytes are, if one like it can be told by its head."""
    body = request.body
    if not body or not request.keep_alive or b"expect" in request.headers:
        return None
    head, end, _ = data.partition(_END_OF_HEAD)
    head += end
    return Pattern(head, len(data), request) if len(head) + len(body) == len(data) else None
