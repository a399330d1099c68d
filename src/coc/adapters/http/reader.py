"""From the bytes of a connection to whole HTTP requests, within bounds; no I/O, so it can be fed by hand.

httptools finds the structure; the bounds on line, headers and body are ours, since the parser has none. After
a refusal nothing more is read: where a request ends is no longer certain, and guessing is how requests are
smuggled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httptools

from coc.adapters.http.repetition import Pattern, pattern_of
from coc.adapters.http.requests import HttpRequest
from coc.primitives.frozen import frozen
from coc.primitives.limits_rpc import HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX, RPC_BODY_BYTES_MAX

RPC_BODY_LIMIT: Final = (RPC_BODY_BYTES_MAX, "RPC_BODY_BYTES_MAX")

_SINGLE: Final = frozenset({b"host", b"content-type", b"origin"})
"""Headers that decide who may ask: two of one kind are refused, as it is not clear which one counts."""


@frozen
class Malformed:
    """Bytes that are no request within the bounds: the status and sentence to answer before closing."""

    status: int
    reason: str


@frozen
class Upgraded:
    """The client wants another protocol from here on; `rest` are the bytes after its request."""

    request: HttpRequest
    rest: bytes


@frozen
class AwaitsContinue:
    """The client has sent a head with `Expect: 100-continue` and waits before it sends the body."""


Event = HttpRequest | Malformed | Upgraded | AwaitsContinue


class RequestReader:
    """Feeds one connection's bytes to the parser and hands over each event as it is complete."""

    __slots__ = (
        "_body_bytes",
        "_body_bytes_max",
        "_body_limit_name",
        "_chunks",
        "_emit",
        "_head_bytes",
        "_headers",
        "_in_head",
        "_last",
        "_parser",
        "_pattern",
        "_refused",
        "_target",
        "reading",
    )

    def __init__(self, emit: Callable[[Event], None], body_limit: tuple[int, str] = RPC_BODY_LIMIT) -> None:
        """`reading` is true from the first byte of a request to its last; a limit has bytes and a name."""
        self._emit = emit
        self._body_bytes_max, self._body_limit_name = body_limit
        self._parser = httptools.HttpRequestParser(self)
        self._refused = False
        self._last: HttpRequest | None = None
        self._pattern: Pattern | None = None
        """What came last, if it was one request whole."""
        self.reading = False
        self.on_message_begin()
        self.reading = False

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the socket."""
        if self._refused:
            return
        pattern, self._pattern = self._pattern, None
        repeated = None if pattern is None else pattern.match(data)
        if repeated is not None:
            self._pattern = pattern
            self._emit(repeated)
            return
        began_between = not self.reading
        began_before = self.reading and self._in_head
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            self._refuse(400, f"malformed HTTP: {error}")
            return
        if began_before and self.reading and self._in_head:
            self._head_bytes += len(data)
            self._check_head()
        if began_between and not self.reading and self._last is not None:
            self._pattern = pattern_of(data, self._last)

    # ── called by httptools, in the order of the bytes ──────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        """A request begins."""
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._in_head = True
        self.reading = True

    def on_url(self, part: bytes) -> None:
        """A piece of the target."""
        self._target += part
        self._head_bytes += len(part)
        self._check_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header line."""
        key = name.lower()
        headers = self._headers
        if key in headers and key in _SINGLE:
            self._refuse(400, f"more than one {key.decode('latin-1')} header")
        headers[key] = value
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HTTP_HEAD_BYTES_MAX or len(headers) > HTTP_HEADERS_MAX:
            self._check_head()

    def on_headers_complete(self) -> None:
        """The head is whole; a body may follow."""
        self._in_head = False
        headers = self._headers
        length = headers.get(b"content-length")
        if length is not None and int(length) > self._body_bytes_max:
            self._refuse_body()
        elif b"expect" in headers:
            if headers[b"expect"].lower() != b"100-continue":
                self._refuse(417, "the only expectation understood is 100-continue")
            elif not self._refused:
                self._emit(AwaitsContinue())

    def on_body(self, part: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(part)
        if self._body_bytes > self._body_bytes_max:
            self._refuse_body()
        else:
            self._chunks.append(part)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.reading = False
        if self._refused:
            return
        parser, chunks = self._parser, self._chunks
        self._last = HttpRequest(
            parser.get_method(),
            self._target,
            self._headers,
            chunks[0] if len(chunks) == 1 else b"".join(chunks),
            parser.should_keep_alive(),
            parser.get_http_version() == "1.0",
        )
        if not parser.should_upgrade():
            self._emit(self._last)

    # ── ours ────────────────────────────────────────────────────────────────────────────────────────────────

    def _check_head(self) -> None:
        if self._head_bytes > HTTP_HEAD_BYTES_MAX:
            self._refuse(
                431, f"request line and headers exceed {HTTP_HEAD_BYTES_MAX} bytes (HTTP_HEAD_BYTES_MAX)"
            )
        elif len(self._headers) > HTTP_HEADERS_MAX:
            self._refuse(431, f"more than {HTTP_HEADERS_MAX} headers (HTTP_HEADERS_MAX)")

    def _refuse_body(self) -> None:
        self._refuse(
            413, f"the body exceeds {self._body_bytes_max} bytes ({self._body_limit_name}); send smaller ones"
        )

    def _refuse(self, status: int, reason: str) -> None:
        if not self._refused:
            self._refused = True
            self.reading = False
            self._chunks.clear()
            self._emit(Malformed(status, reason))

    def _upgrade(self, rest: bytes) -> None:
        """The parser stops after a head that asks for another protocol, body or not."""
        request = self._last
        if request is None or self._refused:
            return
        if b"transfer-encoding" in request.headers:
            self._refuse(400, "a chunked body does not go with a change of protocol")
        elif b"content-length" in request.headers:
            self.resume(_without_upgrade(request) + rest)
        else:
            self._emit(Upgraded(request, rest))

    def resume(self, rest: bytes) -> None:
        """Go on with HTTP after an upgrade that was not taken up."""
        self._parser = httptools.HttpRequestParser(self)
        if rest:
            self.feed(rest)


def _without_upgrade(request: HttpRequest) -> bytes:
    """The head again, so that it is read as a plain request; curl asks for HTTP/2 in this way."""
    lines = [b"%b %b HTTP/1.1" % (request.method, request.target)]
    lines += [b"%b: %b" % (name, value) for name, value in request.headers.items() if name != b"upgrade"]
    return b"\r\n".join(lines) + b"\r\n\r\n"
