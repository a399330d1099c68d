"""What a `Link` takes for its socket where bytes travel in requests and answers.

A lane offers to carry (`offer`): whatever the link writes in that turn of the loop leaves in one letter, and
until the next offer the link is told that the socket is full. So what waits is in the session's queues, where
a vote goes first, and is chosen when it leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from coc.primitives.limits_http_gossip import HTTP_GOSSIP_STREAM_BYTES_MAX
from coc.wire.pieces import RECORD_BYTES_MAX

Taker: TypeAlias = Callable[[bytes, bool], None]
"""Carries bytes of the stream; says whether they are the last."""


class StreamTransport(asyncio.Transport):
    """Both directions of one connection over HTTP."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, peername: tuple[str, int], on_gone: Callable[[], None]
    ) -> None:
        """`on_gone` is called once, when nothing is carried any more."""
        super().__init__({"peername": peername})
        self._loop = loop
        self._on_gone = on_gone
        self._protocol: asyncio.Protocol | None = None
        self._taker: Taker | None = None
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._is_blocked = False
        self._departs = False
        self._is_ending = False
        self._has_ended = False
        self._peer_has_ended = False
        self._is_closed = False

    def begin(self, protocol: asyncio.Protocol) -> None:
        """Connect the link; it may write once a lane offers to carry."""
        self._protocol = protocol
        self._block()
        protocol.connection_made(self)

    # ── Lanes ───────────────────────────────────────────────────────────────────────────────────────────────

    def offer(self, taker: Taker) -> None:
        """A lane can carry: it is given bytes once there are some."""
        if self._is_closed or self._has_ended:
            self._loop.call_soon(taker, b"", True)
            return
        self._taker = taker
        self._unblock()
        if self._waiting or self._is_ending:
            self._soon()

    def withdraw(self) -> None:
        """The lane that offered cannot carry after all."""
        self._taker = None
        self._block()

    def feed(self, data: bytes, *, is_last: bool) -> None:
        """The peer's stream goes on, or ends."""
        if self._is_closed or self._protocol is None or self._peer_has_ended:
            return
        if data:
            self._protocol.data_received(data)
        if is_last and not self._is_closed:
            self._peer_has_ended = True
            self._protocol.eof_received()
            self.write_eof()
            self._close_if_done()

    # ── What the link asks of a socket ──────────────────────────────────────────────────────────────────────

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes; those of one turn leave together."""
        if self._is_closed or self._is_ending:
            return
        self._waiting.append(bytes(data))
        self._waiting_bytes += len(data)
        if self._waiting_bytes + RECORD_BYTES_MAX > HTTP_GOSSIP_STREAM_BYTES_MAX:
            self._block()
        self._soon()

    def write_eof(self) -> None:
        """Nothing follows what was written."""
        self._is_ending = True
        self._soon()

    def can_write_eof(self) -> bool:
        """As TCP can."""
        return True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The bounds are those of a letter."""

    def is_closing(self) -> bool:
        """Whether the link will hear no more."""
        return self._is_closed

    def abort(self) -> None:
        """End both directions now; a lane that waits says so to the peer."""
        if self._is_closed:
            return
        self._is_closed = True
        taker, self._taker = self._taker, None
        if taker is not None:
            taker(b"", True)
        self._waiting.clear()
        self._loop.call_soon(self._finish)

    # ── Departure ───────────────────────────────────────────────────────────────────────────────────────────

    def _soon(self) -> None:
        if not self._departs and self._taker is not None:
            self._departs = True
            self._loop.call_soon(self._depart)

    def _depart(self) -> None:
        self._departs = False
        taker = self._taker
        if taker is None or self._is_closed or not (self._waiting or self._is_ending):
            return
        data, is_last = b"".join(self._waiting), self._is_ending
        self._waiting.clear()
        self._waiting_bytes = 0
        self._taker = None
        self._block()
        taker(data, is_last)
        if is_last:
            self._has_ended = True
            self._close_if_done()

    def _block(self) -> None:
        if not self._is_blocked and self._protocol is not None:
            self._is_blocked = True
            self._protocol.pause_writing()

    def _unblock(self) -> None:
        if self._is_blocked and self._protocol is not None:
            self._is_blocked = False
            self._protocol.resume_writing()

    def _close_if_done(self) -> None:
        if self._has_ended and self._peer_has_ended:
            self.abort()

    def _finish(self) -> None:
        if self._protocol is not None:
            self._protocol.connection_lost(None)
        self._on_gone()
