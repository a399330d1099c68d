"""Peers who dial us over HTTP: sockets, sessions, and what each request is answered.

The door (`coc.wire.http_gossip.door`) says what a request is; the peer book says who has room; here the
answers are written. A question for more of the stream waits until the session has something, the time to hold
it is over, or the same question comes again by another connection. HTTP-6, HTTP-7, HTTP-8.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, assert_never

from coc.adapters.http.reader import Malformed
from coc.adapters.http.requests import HttpRequest
from coc.adapters.http_gossip.connection import HttpConnection
from coc.adapters.http_gossip.stream import StreamTransport
from coc.adapters.log_lines import LOGGER
from coc.adapters.wire.link import Link
from coc.primitives.limits_http_gossip import (
    HTTP_GOSSIP_CONNECTIONS_MAX,
    HTTP_GOSSIP_CONNECTIONS_PER_IP_MAX,
    HTTP_GOSSIP_HOLD_MS,
)
from coc.wire.addresses import is_loopback, owner_of
from coc.wire.http_gossip.door import Asked, Brought, Door, Opening
from coc.wire.http_gossip.envelope import SESSION_BYTES, Direction, Note, Path, Pen
from coc.wire.http_gossip.faults import Fault, LetterRefused

_PATHS: Final = {path.value: path for path in Path}


class HttpOwner(Protocol):
    """Who has peers: the network."""

    def new_link(self) -> Link:
        """A link that nobody is on yet."""
        ...

    def is_host_banned(self, host: str) -> bool:
        """Whether an address stays out."""
        ...

    def blame_address(self, host: str, points: int) -> None:
        """Somebody at this address sent what no honest node sends, and proved nothing."""
        ...

    def now_ms(self) -> int:
        """The time of deadlines."""
        ...


@dataclass(slots=True)
class _Session:
    """A session and the question that waits for its stream."""

    stream: StreamTransport
    owner: str
    asking: tuple[HttpConnection, Note] | None = None
    held_until_ms: int = 0


class HttpGossipServer:
    """Serves the three paths on one socket."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, owner: HttpOwner, pen: Pen, wall_ms: Callable[[], int]
    ) -> None:
        """Nobody is heard before `start`."""
        self._loop = loop
        self._owner = owner
        self._pen = pen
        self._wall_ms = wall_ms
        self._door = Door(pen.genesis_hash)
        self._sessions: dict[bytes, _Session] = {}
        self._connections: set[HttpConnection] = set()
        self._by_owner: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._is_closing = False
        self.now_ms = owner.now_ms

    async def start(self, listening: socket.socket) -> None:
        """Accept connections."""
        self._server = await self._loop.create_server(lambda: HttpConnection(self), sock=listening)

    def stop(self) -> bool:
        """Accept no more; what is open goes on, so that goodbyes can be carried. Whether it had begun."""
        self._is_closing = True
        if self._server is None:
            return False
        self._server.close()
        return True

    def close(self) -> None:
        """Hang up on everybody."""
        for connection in tuple(self._connections):
            connection.drop()

    def tick(self, now_ms: int) -> None:
        """Answer who has waited long enough, with nothing; hang up on who is too slow."""
        for session, found in tuple(self._sessions.items()):
            if found.asking is not None and found.held_until_ms <= now_ms:
                found.stream.withdraw()
                self._tell(session, found, (b"", False))
        for connection in [each for each in self._connections if each.deadline_ms < now_ms]:
            connection.expire()

    # ── What connections tell ───────────────────────────────────────────────────────────────────────────────

    def join(self, connection: HttpConnection) -> bool:
        """Count a connection, if its address may have another."""
        owner = owner_of(connection.host)
        if self._is_closing or len(self._connections) >= HTTP_GOSSIP_CONNECTIONS_MAX:
            return False
        if not is_loopback(connection.host) and self._by_owner[owner] >= self._room_for(connection.host):
            return False
        self._connections.add(connection)
        self._by_owner[owner] += 1
        return True

    def _room_for(self, host: str) -> int:
        """How many connections of its address may be open: of a banned one, as many as show who is there."""
        owner = owner_of(host)
        is_known = any(each.owner == owner for each in self._sessions.values())
        if self._owner.is_host_banned(host) and not is_known:
            return 1
        return HTTP_GOSSIP_CONNECTIONS_PER_IP_MAX

    def leave(self, connection: HttpConnection) -> None:
        """A connection is gone."""
        if connection in self._connections:
            self._connections.discard(connection)
            owner = owner_of(connection.host)
            self._by_owner[owner] -= 1
            if not self._by_owner[owner]:
                del self._by_owner[owner]

    def on_malformed(self, connection: HttpConnection, malformed: Malformed) -> None:
        """Not HTTP, or too much of it."""
        self._owner.blame_address(connection.host, Fault.MALFORMED.points)
        connection.refuse(malformed.status, malformed.reason, closes=True)

    def on_request(self, connection: HttpConnection, request: HttpRequest) -> None:
        """Find out what it is, and answer now or later."""
        path = _PATHS.get(request.target)
        if path is None:
            connection.refuse(404, "peers post to /p2p/open, /p2p/send and /p2p/receive")
        elif request.method != b"POST":
            connection.refuse(405, "peers post")
        else:
            try:
                self._on_letter(connection, path, request.body)
            except LetterRefused as error:
                self._refuse(connection, error)

    # ── Letters ─────────────────────────────────────────────────────────────────────────────────────────────

    def _on_letter(self, connection: HttpConnection, path: Path, body: bytes) -> None:
        found = self._door.read(self._wall_ms(), path, body)
        match found:
            case Opening():
                self._open(connection, found)
            case Brought(session, note, is_again):
                if not is_again:
                    self._sessions[session].stream.feed(note.stream, is_last=note.is_last)
                self._answer(connection, Path.SEND, note, (b"", False))
            case Asked(session, note, again):
                if again is None:
                    self._wait(connection, session, note)
                else:
                    self._answer(connection, Path.RECEIVE, note, again)
            case _:
                assert_never(found)

    def _open(self, connection: HttpConnection, opening: Opening) -> None:
        """Begin a session, if the peer book lets the address begin a handshake."""
        session = secrets.token_bytes(SESSION_BYTES)
        stream = StreamTransport(self._loop, (connection.host, 0), lambda: self._end(session))
        link = self._owner.new_link()
        link.claimed = opening.sender
        self._door.admit(session, opening.sender)
        self._sessions[session] = _Session(stream, owner_of(connection.host))
        stream.begin(link)
        if stream.is_closing():
            raise LetterRefused(Fault.NO_ROOM, "there is no room for this address", cure="try again later")
        note = opening.note
        named = Note(session, note.sequence, note.time_ms, note.nonce)
        self._answer(connection, Path.OPEN, named, (b"", False))

    def _wait(self, connection: HttpConnection, session: bytes, note: Note) -> None:
        found = self._sessions[session]
        if found.asking is not None:
            found.asking[0].refuse(Fault.REPEATED.status, "the same question came by another connection")
        found.asking = (connection, note)
        connection.on_lost = lambda: self._lost(found, connection)
        found.held_until_ms = self.now_ms() + HTTP_GOSSIP_HOLD_MS
        found.stream.offer(lambda data, is_last: self._tell(session, found, (data, is_last)))

    def _tell(self, session: bytes, found: _Session, said: tuple[bytes, bool]) -> None:
        """Answer the question that waits."""
        asking, found.asking = found.asking, None
        self._door.answered(session, said)
        if asking is not None:
            self._answer(asking[0], Path.RECEIVE, asking[1], said)

    def _lost(self, found: _Session, connection: HttpConnection) -> None:
        """Whoever asked has hung up: what the session writes waits for the next question."""
        if found.asking is not None and found.asking[0] is connection:
            found.asking = None
            found.stream.withdraw()

    def _answer(self, connection: HttpConnection, path: Path, asked: Note, said: tuple[bytes, bool]) -> None:
        data, is_last = said
        note = Note(asked.session, asked.sequence, self._wall_ms(), asked.nonce, is_last, data)
        connection.answer(self._pen.write(Direction.ANSWER, path, note))

    def _refuse(self, connection: HttpConnection, error: LetterRefused) -> None:
        fault = error.fault
        fields = {"host": connection.host, "fault": fault.name.lower(), "why": str(error)}
        LOGGER.debug("a request of a peer is refused", extra={"fields": fields})
        self._owner.blame_address(connection.host, fault.points)
        parts = (error.what, error.why, error.cure)
        sentence = "; ".join(part for part in parts if part)
        # Who is not taken at his word from a banned address has to connect anew for each try.
        connection.refuse(fault.status, sentence, closes=self._owner.is_host_banned(connection.host))

    def _end(self, session: bytes) -> None:
        self._door.end(session)
        self._sessions.pop(session, None)
