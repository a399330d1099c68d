"""One client connection: requests in, answers back in the order of the requests.

A request becomes a `Slot` at the end of the line; whatever finishes first, only the slot at the front is
written. A connection that has too much running is not read from until it has less, and one that is slow to
send or to read is dropped by the server's sweep when its deadline has passed.
"""

from __future__ import annotations

from asyncio import BaseTransport, Protocol, Transport
from collections import deque
from math import inf
from typing import TYPE_CHECKING, Final, cast

from coc.adapters.http.pages import Page
from coc.adapters.http.reader import AwaitsContinue, Event, Malformed, RequestReader, Upgraded
from coc.adapters.http.replies import (
    COMPRESSING,
    USUAL,
    Envelope,
    compressed,
    empty,
    refusal,
    reply,
    reply_compressed,
)
from coc.adapters.http.requests import HttpRequest
from coc.primitives.limits_rpc import (
    HTTP_GZIP_POOLED_BYTES_MIN,
    HTTP_IDLE_TIMEOUT_S,
    HTTP_LINGER_TIMEOUT_S,
    HTTP_READ_TIMEOUT_S,
    HTTP_REQUESTS_IN_FLIGHT_MAX,
    HTTP_REQUESTS_PER_CONNECTION_MAX,
    HTTP_WRITE_TIMEOUT_S,
)
from coc.rpc.exchange import Exchange

if TYPE_CHECKING:
    from coc.adapters.http.carrier import Carriage
    from coc.adapters.http.server import HttpServer

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSING: Final = Envelope(keep_alive=False, plain=False)


class Slot:
    """The place of one request in the line; `data` is None while it is under way."""

    __slots__ = ("closes", "data", "envelope")

    def __init__(self, envelope: Envelope) -> None:
        """Empty; an envelope that does not keep the connection alive closes it after this answer."""
        self.envelope = envelope
        self.data: bytes | None = None
        self.closes = not envelope.keep_alive


class Connection(Protocol):
    """The server's side of one TCP connection."""

    def __init__(self, server: HttpServer) -> None:
        """Not yet connected."""
        self._server = server
        self._reader = RequestReader(self._on_event)
        self._slots: deque[Slot] = deque()
        self._parked: deque[tuple[bytes, Slot]] = deque()
        self._carriages: dict[Slot, Carriage] = {}
        self._in_flight = 0
        self._usual: tuple[dict[bytes, bytes], Envelope] | None = None
        """Headers of the last call that was let in, and what its answer is put into."""
        self._out: list[bytes] = []
        self._corked = False
        self._closing = False
        self._lingering = False
        self._write_blocked = False
        self._read_paused = False
        self.deadline = inf
        self._transport: Transport | None = None

    # ── called by the loop ──────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: BaseTransport) -> None:
        """Join the server, or be turned away when it is full."""
        self._transport = cast("Transport", transport)
        if not self._server.join(self):
            self._transport.write(refusal(_CLOSING, 503, "too many connections (HTTP_CONNECTIONS_MAX)"))
            self._close()
            return
        self.deadline = self._server.now() + HTTP_IDLE_TIMEOUT_S

    def data_received(self, data: bytes) -> None:
        """Read what came; answers made meanwhile leave in one write."""
        if self._closing:
            return
        self._corked = True
        was_reading = self._reader.reading
        self._reader.feed(data)
        self._corked = False
        self._flush()
        if self._reader.reading:
            if not was_reading or self.deadline == inf:
                self.deadline = self._server.now() + HTTP_READ_TIMEOUT_S
        elif not self._write_blocked and not self._lingering:
            self.deadline = inf if self._slots else self._server.now() + HTTP_IDLE_TIMEOUT_S

    def pause_writing(self) -> None:
        """The client does not read: stop reading from it, and give it a while."""
        self._write_blocked = True
        self.deadline = self._server.now() + HTTP_WRITE_TIMEOUT_S
        self._balance_reading()

    def resume_writing(self) -> None:
        """The client has read on."""
        self._write_blocked = False
        self.deadline = inf if self._slots else self._server.now() + HTTP_IDLE_TIMEOUT_S
        self._balance_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Forget everything that was under way for this client."""
        self._closing = True
        self._server.leave(self, self._in_flight)
        self._in_flight = 0
        for carriage in self._carriages.values():
            carriage.abandon()
        self._carriages.clear()
        self._slots.clear()
        self._parked.clear()
        self._transport = None

    # ── called by the server ────────────────────────────────────────────────────────────────────────────────

    def expire(self) -> None:
        """The deadline has passed: say why if the client was sending, and go."""
        transport = self._transport
        if transport is None:
            return
        if self._write_blocked or self._lingering:
            transport.abort()
        elif self._slots:
            self.finish()
        else:
            if self._reader.reading:
                limit = f"{HTTP_READ_TIMEOUT_S:.0f} s (HTTP_READ_TIMEOUT_S)"
                reason = f"the request took longer than {limit} to arrive"
                transport.write(refusal(_CLOSING, 408, reason))
            self._close()

    def finish(self) -> None:
        """The server stops: answer what is under way, then close."""
        if self._slots:
            self._slots[-1].closes = True
            self._closing = True
        else:
            self._close()

    def drop(self) -> None:
        """Close at once, without an answer."""
        if self._transport is not None:
            self._transport.abort()

    # ── requests ────────────────────────────────────────────────────────────────────────────────────────────

    def _on_event(self, event: Event) -> None:
        if self._closing:
            return
        match event:
            case HttpRequest():
                self._on_request(event)
            case Malformed(status, reason):
                self._answer(_CLOSING, refusal(_CLOSING, status, reason))
                self._closing = self._lingering = True
            case AwaitsContinue():
                if not self._slots:
                    self._out.append(_CONTINUE)
            case Upgraded(request, rest):
                self._on_upgrade(request, rest)

    def _on_request(self, request: HttpRequest) -> None:
        server = self._server
        server.requests += 1
        headers = request.headers
        if self._usual is not None and headers is self._usual[0]:  # the reader's: the same bytes again
            self._on_call(request.body, self._usual[1])
            return
        envelope = self._envelope(request)
        if not server.policy.host_allowed(headers.get(b"host", b"")):
            self._answer(
                envelope, refusal(envelope, 403, "invalid host specified; add it to the node's allowed hosts")
            )
        elif request.method == b"POST":
            self._on_post(request, envelope)
        elif request.method in (b"GET", b"HEAD"):
            self._on_get(request, envelope)
        elif request.method == b"OPTIONS":
            wants_private = headers.get(b"access-control-request-private-network") == b"true"
            allowed = server.policy.preflight_headers(headers.get(b"origin"), wants_private)
            self._answer(envelope, empty(envelope, allowed))
        else:
            self._answer(envelope, refusal(envelope, 405, "use POST for JSON-RPC and GET for pages"))
        if not envelope.keep_alive:
            self._closing = True

    def _on_post(self, request: HttpRequest, envelope: Envelope) -> None:
        if request.target != b"/" and request.path != b"/":
            status = 405 if request.path in self._server.pages else 404
            self._answer(envelope, refusal(envelope, status, "JSON-RPC is served at /"))
        elif not self._server.policy.is_json(request.headers.get(b"content-type", b"")):
            self._answer(
                envelope, refusal(envelope, 415, "invalid content type, only application/json is supported")
            )
        elif not request.body:
            self._answer(envelope, refusal(envelope, 400, "empty body; POST one JSON-RPC request or a batch"))
        else:
            if envelope.plain:
                self._usual = request.headers, envelope
            self._on_call(request.body, envelope)

    def _on_get(self, request: HttpRequest, envelope: Envelope) -> None:
        page = self._server.page(request.path, wants_html=b"text/html" in request.headers.get(b"accept", b""))
        if page is None:
            self._answer(envelope, refusal(envelope, 404, "no such page; JSON-RPC is served by POST at /"))
        else:
            self._answer(envelope, _page_reply(envelope, page))

    def _on_upgrade(self, request: HttpRequest, rest: bytes) -> None:
        """Hand the connection over to another protocol, or go on with HTTP when nobody takes it."""
        upgrade = self._server.upgrades.get(request.headers.get(b"upgrade", b"").lower())
        transport = self._transport
        allowed = self._server.policy.host_allowed(request.headers.get(b"host", b""))
        if upgrade is None or transport is None or self._slots or not allowed:
            self._on_request(request)
            if not self._closing:
                self._reader.resume(rest)
            return
        self._server.leave(self, 0)
        self._closing = True
        upgrade(transport, request, rest)

    def _envelope(self, request: HttpRequest) -> Envelope:
        headers = request.headers
        plain = request.keep_alive and not request.is_http_1_0
        accepts = headers.get(b"accept-encoding")
        gzip = accepts is not None and b"gzip" in accepts and b"gzip;q=0" not in accepts
        origin = headers.get(b"origin")
        if plain and origin is None and request.method == b"POST":
            return COMPRESSING if gzip else USUAL
        return Envelope(
            keep_alive=request.keep_alive,
            plain=plain,
            gzip=gzip,
            head_only=request.method == b"HEAD",
            extra=self._server.policy.cors_headers(origin),
        )

    # ── calls under way ─────────────────────────────────────────────────────────────────────────────────────

    def _on_call(self, body: bytes, envelope: Envelope) -> None:
        slot = Slot(envelope)
        self._slots.append(slot)
        if self._parked or self._in_flight >= HTTP_REQUESTS_PER_CONNECTION_MAX:
            self._parked.append((body, slot))
            self._balance_reading()
        else:
            self._begin(body, slot)

    def _begin(self, body: bytes, slot: Slot) -> None:
        server = self._server
        if server.in_flight >= HTTP_REQUESTS_IN_FLIGHT_MAX:
            slot.data = refusal(
                slot.envelope, 503, "the node is busy (HTTP_REQUESTS_IN_FLIGHT_MAX); try again in a second"
            )
            return
        handled = server.dispatcher.handle(body, int(server.now() * 1000))
        if isinstance(handled, Exchange):
            self._in_flight += 1
            server.in_flight += 1
            carriage = server.carrier.carry(handled, lambda exchange: self._carried(slot, exchange.body()))
            if slot.data is None:
                self._carriages[slot] = carriage
        else:
            self._fill(slot, handled)

    def _carried(self, slot: Slot, body: bytes | None) -> None:
        self._in_flight -= 1
        self._server.in_flight -= 1
        self._carriages.pop(slot, None)
        self._fill(slot, body)
        while self._parked and self._in_flight < HTTP_REQUESTS_PER_CONNECTION_MAX:
            self._begin(*self._parked.popleft())
        self._balance_reading()
        self._flush()

    def _fill(self, slot: Slot, body: bytes | None) -> None:
        envelope = slot.envelope
        if body is None:
            slot.data = empty(envelope, envelope.extra)
        elif envelope.gzip and len(body) >= HTTP_GZIP_POOLED_BYTES_MIN:
            self._server.on_pool(lambda: compressed(body), lambda small: self._compressed(slot, small))
        else:
            slot.data = reply(envelope, 200, body)

    def _compressed(self, slot: Slot, body: bytes) -> None:
        slot.data = reply_compressed(slot.envelope, body)
        self._flush()

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, envelope: Envelope, data: bytes) -> None:
        slot = Slot(envelope)
        slot.data = data
        self._slots.append(slot)

    def _flush(self) -> None:
        """Write every answer that is at the front of the line."""
        transport, slots, out = self._transport, self._slots, self._out
        if self._corked or transport is None:
            return
        closes = False
        while slots and slots[0].data is not None and not closes:
            slot = slots.popleft()
            out.append(slot.data or b"")
            closes = slot.closes
        if out:
            transport.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()
            if not slots and not self._reader.reading and not self._write_blocked:
                self.deadline = self._server.now() + HTTP_IDLE_TIMEOUT_S
        if closes and self._lingering:
            self._linger(transport)
        elif closes:
            self._close()

    def _linger(self, transport: Transport) -> None:
        """Say goodbye and swallow what the client still sends for a while.

        Closing with unread bytes would reset the connection, and the client might never see why (RFC 9112
        §9.6).
        """
        transport.write_eof()
        self.deadline = self._server.now() + HTTP_LINGER_TIMEOUT_S

    def _close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def _balance_reading(self) -> None:
        transport = self._transport
        if transport is None or self._closing:
            return
        pause = self._write_blocked or bool(self._parked)
        if pause != self._read_paused:
            self._read_paused = pause
            if pause:
                transport.pause_reading()
            else:
                transport.resume_reading()


def _page_reply(envelope: Envelope, page: Page) -> bytes:
    return reply(envelope, page.status, page.body, page.content_type)
