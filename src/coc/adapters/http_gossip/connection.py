"""One TCP connection of somebody who posts: a request at a time, each within its time and bounds."""

from __future__ import annotations

from asyncio import BaseTransport, Protocol, Transport
from collections.abc import Callable
from math import inf
from typing import Final, cast
from typing import Protocol as Interface

from coc.adapters.http.reader import AwaitsContinue, Event, Malformed, RequestReader, Upgraded
from coc.adapters.http.requests import HttpRequest
from coc.primitives.limits_http_gossip import (
    HTTP_GOSSIP_HOLD_MS,
    HTTP_GOSSIP_IDLE_MS_MAX,
    HTTP_GOSSIP_LETTER_BYTES_MAX,
    HTTP_GOSSIP_REQUEST_MS_MAX,
)
from coc.wire.addresses import canonical_host

_LETTER_LIMIT: Final = (HTTP_GOSSIP_LETTER_BYTES_MAX, "HTTP_GOSSIP_LETTER_BYTES_MAX")
_REASONS: Final = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    409: b"Conflict",
    410: b"Gone",
    413: b"Content Too Large",
    417: b"Expectation Failed",
    421: b"Misdirected Request",
    425: b"Too Early",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}
"""Statuses that are answered; a client of ours reads the number, and people the sentence in the body."""


class ConnectionOwner(Interface):
    """Who keeps connections: the server."""

    def join(self, connection: HttpConnection) -> bool:
        """Somebody has connected; False to hang up."""
        ...

    def leave(self, connection: HttpConnection) -> None:
        """The socket is closed."""
        ...

    def on_request(self, connection: HttpConnection, request: HttpRequest) -> None:
        """A whole request: to be answered once, now or later."""
        ...

    def on_malformed(self, connection: HttpConnection, malformed: Malformed) -> None:
        """Bytes that are no request within the bounds."""
        ...

    def now_ms(self) -> int:
        """The time of deadlines."""
        ...


class HttpConnection(Protocol):
    """The server's side."""

    def __init__(self, owner: ConnectionOwner) -> None:
        """Not yet connected."""
        self._owner = owner
        self._reader = RequestReader(self._on_event, _LETTER_LIMIT)
        self._transport: Transport | None = None
        self._request: HttpRequest | None = None
        self._is_closing = False
        self.on_lost: Callable[[], None] | None = None
        """Called if the socket closes while a request waits for its answer."""
        self.deadline_ms = inf
        self.host = ""

    # ── Called by the loop ──────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: BaseTransport) -> None:
        """Join, if there is room."""
        self._transport = cast("Transport", transport)
        peername = transport.get_extra_info("peername")
        self.host = canonical_host(str(peername[0])) if peername else ""
        self._rest(HTTP_GOSSIP_IDLE_MS_MAX)
        if not self._owner.join(self):
            self._is_closing = True
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on; the time for a request runs from its first byte, however slowly the rest drips."""
        if self._is_closing:
            return
        was_reading = self._reader.reading
        self._reader.feed(data)
        if self._reader.reading and not was_reading and self._request is None:
            self._rest(HTTP_GOSSIP_REQUEST_MS_MAX)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """The socket is closed, by whomever."""
        self._transport = None
        self._is_closing = True
        self._owner.leave(self)
        on_lost, self.on_lost = self.on_lost, None
        if on_lost is not None:
            on_lost()

    # ── Called by the server ────────────────────────────────────────────────────────────────────────────────

    def answer(self, body: bytes, status: int = 200) -> None:
        """Answer the request that waits."""
        request, self._request, self.on_lost = self._request, None, None
        if request is None or self._transport is None:
            return
        self._write(status, body, closes=not request.keep_alive)
        if not self._is_closing:
            self._rest(HTTP_GOSSIP_IDLE_MS_MAX)

    def refuse(self, status: int, sentence: str, *, closes: bool = False) -> None:
        """Answer with a sentence; where what follows cannot be told apart, hang up behind it."""
        if closes:
            self._request, self.on_lost = None, None
            self._write(status, sentence.encode(), closes=True)
        else:
            self.answer(sentence.encode(), status)

    def expire(self) -> None:
        """A deadline has passed."""
        if self._reader.reading and self._request is None and not self._is_closing:
            seconds = HTTP_GOSSIP_REQUEST_MS_MAX // 1000
            self._write(408, b"the request took longer than %d s to arrive" % seconds, closes=True)
        else:
            self.drop()

    def drop(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    def _on_event(self, event: Event) -> None:
        if self._is_closing:
            return
        match event:
            case HttpRequest():
                self._on_request(event)
            case Upgraded(request):
                self._on_request(request)
                self._is_closing = True
            case Malformed():
                self._owner.on_malformed(self, event)
            case AwaitsContinue():
                if self._transport is not None:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _on_request(self, request: HttpRequest) -> None:
        if self._request is not None:
            self.refuse(400, "one request at a time", closes=True)
            return
        self._request = request
        self._rest(HTTP_GOSSIP_HOLD_MS + HTTP_GOSSIP_REQUEST_MS_MAX)
        self._owner.on_request(self, request)

    def _write(self, status: int, body: bytes, *, closes: bool) -> None:
        if self._transport is None:
            return
        kind = b"application/octet-stream" if status == 200 else b"text/plain; charset=utf-8"
        ending = b"Connection: close\r\n" if closes else b""
        self._transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nCache-Control: no-store\r\nContent-Length: %d\r\n%b\r\n%b"
            % (status, _REASONS[status], kind, len(body), ending, body)
        )
        if closes:
            self._is_closing = True
            self._rest(HTTP_GOSSIP_REQUEST_MS_MAX)
            self._transport.write_eof()

    def _rest(self, milliseconds: int) -> None:
        self.deadline_ms = self._owner.now_ms() + milliseconds
