"""The bytes of a response: status line, headers, body; compressed where the client asked and it pays."""

from __future__ import annotations

import zlib
from typing import Final

from coc.primitives.frozen import frozen
from coc.primitives.limits_rpc import HTTP_GZIP_BYTES_MIN
from coc.rpc.errors import INVALID_REQUEST, LIMIT_EXCEEDED, CallError
from coc.rpc.exchange import response

JSON: Final = b"application/json"

_GZIP_WINDOW_BITS: Final = 31
_GZIP_LEVEL: Final = 1

_REASONS: Final[dict[int, bytes]] = {
    200: b"OK",
    204: b"No Content",
    400: b"Bad Request",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    415: b"Unsupported Media Type",
    417: b"Expectation Failed",
    426: b"Upgrade Required",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}


@frozen
class Envelope:
    """What the request says about how it wants to be answered."""

    keep_alive: bool = True
    plain: bool = True
    gzip: bool = False
    head_only: bool = False
    extra: bytes = b""


USUAL: Final = Envelope()
"""HTTP/1.1, kept alive, no cross-origin headers, no compression: what most clients of a node ask for."""

COMPRESSING: Final = Envelope(gzip=True)
"""The same from a client that takes compressed answers."""

_USUAL_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


def reply(envelope: Envelope, status: int, body: bytes, content_type: bytes = JSON) -> bytes:
    """One whole response."""
    small = not envelope.gzip or len(body) < HTTP_GZIP_BYTES_MIN
    if small and (envelope is USUAL or envelope is COMPRESSING) and status == 200 and content_type is JSON:
        return _USUAL_HEAD % (len(body), body)
    extra = envelope.extra
    if envelope.gzip and len(body) >= HTTP_GZIP_BYTES_MIN:
        body = compressed(body)
        extra += b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
    return _reply(envelope, status, body, content_type, extra)


def reply_compressed(envelope: Envelope, body: bytes) -> bytes:
    """A 200 whose JSON body has been compressed already, elsewhere."""
    extra = envelope.extra + b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
    return _reply(envelope, 200, body, JSON, extra)


def empty(envelope: Envelope, headers: bytes) -> bytes:
    """An answer without a body: to a preflight, or to notifications."""
    return b"HTTP/1.1 204 No Content\r\n%b%b\r\n" % (headers, _connection(envelope))


def refusal(envelope: Envelope, status: int, sentence: str) -> bytes:
    """A response to a request that HTTP already refuses, with a JSON-RPC error as its body."""
    code = LIMIT_EXCEEDED if status == 503 else INVALID_REQUEST
    body = response(b"null", CallError(code, sentence))
    if status == 405:
        return _reply(envelope, status, body, JSON, envelope.extra + b"Allow: POST, GET, HEAD, OPTIONS\r\n")
    if status == 503:
        return _reply(envelope, status, body, JSON, envelope.extra + b"Retry-After: 1\r\n")
    return _reply(envelope, status, body, JSON, envelope.extra)


def compressed(body: bytes) -> bytes:
    """Gzip at its fastest level: JSON in hex shrinks to about half, and higher levels gain little."""
    press = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW_BITS)
    return press.compress(body) + press.flush()


def _reply(envelope: Envelope, status: int, body: bytes, content_type: bytes, extra: bytes) -> bytes:
    return b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b%b\r\n%b" % (
        status,
        _REASONS[status],
        content_type,
        len(body),
        extra,
        _connection(envelope),
        b"" if envelope.head_only else body,
    )


def _connection(envelope: Envelope) -> bytes:
    """HTTP/1.0 clients must be told that a connection stays open, HTTP/1.1 clients that it does not."""
    if envelope.plain:
        return b""
    return b"Connection: keep-alive\r\n" if envelope.keep_alive else b"Connection: close\r\n"
