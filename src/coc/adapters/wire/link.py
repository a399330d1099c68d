"""One connection: a socket on one side, a session on the other.

The socket is given one record at a time and the next when it has drained, so what waits is in the session's
queues, where a vote goes first, and only a little in the kernel's, where it does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from math import inf
from typing import Protocol, cast

from coc.primitives.limits_wire import WIRE_KERNEL_BYTES_MAX, WIRE_LINGER_MS, WIRE_UNSENT_BYTES_MAX
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress, canonical_host
from coc.wire.errors import Reason
from coc.wire.events import Event
from coc.wire.identity import PeerFacts, ProvenPeer
from coc.wire.kinds import Kind
from coc.wire.pieces import RECORD_BYTES_MAX
from coc.wire.session import Session


class LinkOwner(Protocol):
    """Who keeps links: the network."""

    def begin(self, link: Link) -> Session | None:
        """A socket is connected: its session, or None to drop it unheard."""
        ...

    def on_events(self, link: Link, events: list[Event]) -> None:
        """The link's session has something to tell."""
        ...

    def on_gone(self, link: Link) -> None:
        """The socket is closed."""
        ...

    def now_ms(self) -> int:
        """The time of sessions and book."""
        ...


class Link(asyncio.Protocol):
    """The asyncio side of one connection; `number` is what the peer book calls it, 0 before it does."""

    def __init__(self, owner: LinkOwner, number: int = 0) -> None:
        """Not yet connected; a number means that we dialled."""
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._is_blocked = False
        self._has_ended = False
        self._ends_ms = inf
        self.number = number
        self.is_dialled = bool(number)
        self.is_over_http = False
        self.host = ""
        self.claimed: PeerId | None = None
        """Who the way here says is at the other end; the handshake must prove it."""
        self.address: PeerAddress | None = None
        self.session: Session | None = None
        self.proven: ProvenPeer | None = None

    # ── Called by the loop ──────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the socket up and begin, if the owner wants this connection at all."""
        self._transport = stream = cast("asyncio.Transport", transport)
        stream.set_write_buffer_limits(high=0)
        tcp = stream.get_extra_info("socket")
        self.is_over_http = tcp is None
        if tcp is not None:
            _tune(tcp)
        self.host = _host(stream.get_extra_info("peername"))
        self.session = self._owner.begin(self)
        if self.session is None:
            stream.abort()
        else:
            self.flush()

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the session; what comes after the end is not read."""
        if self.session is not None and not self.session.is_closed:
            self._owner.on_events(self, self.session.receive(data))
            self.flush()

    def eof_received(self) -> bool:
        """The peer has said its last; what we still have to say leaves before the socket closes."""
        if self.session is not None:
            self._owner.on_events(self, self.session.lost())
        return False

    def pause_writing(self) -> None:
        """The socket is full."""
        self._is_blocked = True

    def resume_writing(self) -> None:
        """The socket has drained."""
        self._is_blocked = False
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """The socket is closed, by whomever."""
        self._transport = None
        if self.session is not None:
            self._owner.on_events(self, self.session.lost())
        self._owner.on_gone(self)

    # ── Called by the owner ─────────────────────────────────────────────────────────────────────────────────

    def facts(self) -> PeerFacts | None:
        """Who is at the other end, once that is proven."""
        found = self.proven
        if found is None:
            return None
        offer = found.offer
        return PeerFacts(
            found.peer, found.public_key, offer.roles, self.host, offer.listen_port, self.is_dialled
        )

    def accept(self) -> None:
        """Welcome the proven peer."""
        if self.session is not None:
            self._owner.on_events(self, self.session.accept())
            self.flush()

    def ping(self) -> None:
        """Ask for a sign of life."""
        if self.session is not None:
            self.session.ping()
            self.flush()

    def send(self, kind: Kind, payload: bytes) -> bool:
        """Queue a message; `flush` makes it leave."""
        session = self.session
        if session is None or not session.is_open:
            return False
        is_taken = session.send(kind, payload)
        if session.is_closed:
            self._owner.on_events(self, session.events())
        return is_taken

    def leave(self, reason: Reason) -> None:
        """Say goodbye and close."""
        if self.session is not None:
            self._owner.on_events(self, self.session.leave(reason))
            self.flush()

    def flush(self) -> None:
        """Give the socket what it takes; behind the last bytes of a closed session comes the end."""
        session, transport = self.session, self._transport
        if session is None or transport is None or transport.is_closing():
            return
        while not self._is_blocked:
            data = session.data_to_send(RECORD_BYTES_MAX)
            if not data:
                break
            transport.write(data)
        if session.is_closed:
            self._hang_up(session, transport)

    def tick(self, now_ms: int) -> None:
        """Tell the session the time; hang up on a peer that does not after our goodbye."""
        session, transport = self.session, self._transport
        if session is None or transport is None:
            return
        if now_ms >= self._ends_ms:
            transport.abort()
            return
        self._owner.on_events(self, session.tick(now_ms))
        self.flush()

    def drop(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    def _hang_up(self, session: Session, transport: asyncio.Transport) -> None:
        """Half-close, and let the peer close: closing with unread bytes would reset what it has not read."""
        if self._ends_ms == inf:
            self._ends_ms = self._owner.now_ms() + WIRE_LINGER_MS
        if session.has_said_all and not self._has_ended:
            self._has_ended = True
            with contextlib.suppress(OSError):
                transport.write_eof()


def _tune(sock: socket.socket) -> None:
    """Send votes at once, and keep the kernel's own queue short. WIRE-8."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WIRE_KERNEL_BYTES_MAX)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, WIRE_UNSENT_BYTES_MAX)


def _host(peername: object) -> str:
    """The IP of the other side in its one spelling."""
    if isinstance(peername, tuple) and peername:
        return canonical_host(str(peername[0]))
    return ""
