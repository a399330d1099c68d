"""Dialling a node over HTTP: a session is opened, and then carried by two connections.

One posts what our link writes; the other asks for what the peer has to say, and its answer waits there until
there is something. Every answer is a letter of the peer's, signed for this very request, so a proxy in
between that garbles or invents one is a network that fails, and never the peer's fault. HTTP-9, HTTP-10.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from coc.adapters.http_gossip.faults import PostRefused
from coc.adapters.http_gossip.poster import Poster
from coc.adapters.http_gossip.stream import StreamTransport, Taker
from coc.adapters.log_lines import LOGGER
from coc.adapters.wire.link import Link
from coc.primitives.limits_http_gossip import (
    HTTP_GOSSIP_ANSWER_MS_MAX,
    HTTP_GOSSIP_HOLD_MS,
    HTTP_GOSSIP_TRIES_MAX,
)
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.http_gossip.envelope import SESSION_BYTES, Direction, Letter, Note, Path, Pen, read_letter
from coc.wire.http_gossip.faults import Fault, LetterRefused
from coc.wire.http_gossip.freshness import verify_time

_ANSWER_SECONDS_MAX = HTTP_GOSSIP_ANSWER_MS_MAX / 1000
_HELD_SECONDS_MAX = (HTTP_GOSSIP_HOLD_MS + HTTP_GOSSIP_ANSWER_MS_MAX) / 1000
_PAUSE_SECONDS = 0.25
"""Between two tries of one request: a proxy that is restarted takes longer, and costs the connection."""


class _Caller:
    """Writes requests and reads the answers to just these."""

    def __init__(self, pen: Pen, wall_ms: Callable[[], int]) -> None:
        self._pen = pen
        self._wall_ms = wall_ms
        self._nonce = 0
        self.server: PeerId | None = None
        """Who answered first, and must go on answering."""

    async def call(self, poster: Poster, path: Path, note: Note, seconds_max: float) -> Note:
        """Post a request; its answer.

        Raises:
            OSError: nothing came, or something that no honest server sends.
        """
        self._nonce += 1
        written = Note(note.session, note.sequence, self._wall_ms(), self._nonce, note.is_last, note.stream)
        raw = await poster.post(path, self._pen.write(Direction.REQUEST, path, written), seconds_max)
        try:
            letter = read_letter(raw, Direction.ANSWER, path, self._pen.genesis_hash)
            self._verify(letter, written)
        except LetterRefused as error:
            poster.close()
            raise OSError(f"{error.what}: {error.why}" if error.why else error.what) from error
        return letter.note

    def _verify(self, letter: Letter, asked: Note) -> None:
        answer = letter.note
        verify_time(self._wall_ms(), answer)
        if self.server is not None and letter.sender != self.server:
            raise LetterRefused(Fault.FORGED, "somebody else answers than before")
        if (answer.nonce, answer.sequence) != (asked.nonce, asked.sequence):
            raise LetterRefused(Fault.REPEATED, "an answer to another request")
        if len(answer.session) != SESSION_BYTES or asked.session not in (b"", answer.session):
            raise LetterRefused(Fault.FORGED, "an answer for another session")
        self.server = letter.sender


class HttpDialer:
    """Opens sessions and carries them."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pen: Pen,
        wall_ms: Callable[[], int],
        proxy: tuple[str, int] | None = None,
    ) -> None:
        """Nothing is dialled yet; `proxy` is a forward proxy that all requests go through."""
        self._proxy = proxy
        self._loop = loop
        self._pen = pen
        self._wall_ms = wall_ms
        self._carriers: set[_Carrier] = set()

    async def connect(self, address: PeerAddress, make_link: Callable[[], Link]) -> None:
        """Open a session at an address, and connect a link to it.

        Raises:
            OSError: no session is opened there.
        """
        caller = _Caller(self._pen, self._wall_ms)
        poster = Poster(address, self._proxy)
        try:
            opened = await caller.call(poster, Path.OPEN, Note(b"", 0, 0, 0), _ANSWER_SECONDS_MAX)
        except BaseException:
            poster.close()
            raise
        link = make_link()
        link.claimed = caller.server
        carrier = _Carrier(caller, opened.session, (Poster(address, self._proxy), poster))
        self._carriers.add(carrier)
        carrier.begin(self._loop, link)
        carrier.tasks[0].add_done_callback(lambda _: self._carriers.discard(carrier))

    async def close(self) -> None:
        """Give up what is still carried."""
        carriers = tuple(self._carriers)
        for carrier in carriers:
            carrier.stop()
        await asyncio.gather(
            *(each for carrier in carriers for each in carrier.tasks), return_exceptions=True
        )


class _Carrier:
    """Carries one session until it ends: a task for each lane."""

    def __init__(self, caller: _Caller, session: bytes, posters: tuple[Poster, Poster]) -> None:
        self._caller = caller
        self._session = session
        self._sender, self._receiver = posters
        self.tasks: tuple[asyncio.Task[None], ...] = ()

    def begin(self, loop: asyncio.AbstractEventLoop, link: Link) -> None:
        """Begin both; what our link says last is still sent after its end."""

        def stop_receiving() -> None:
            receiving.cancel()

        stream = StreamTransport(loop, self._receiver.peername, stop_receiving)
        stream.begin(link)
        receiving = loop.create_task(self._receive(stream))
        self.tasks = (loop.create_task(self._send(loop, stream)), receiving)

    def stop(self) -> None:
        for task in self.tasks:
            task.cancel()

    async def _send(self, loop: asyncio.AbstractEventLoop, stream: StreamTransport) -> None:
        sequence, is_last = 0, False
        try:
            while not is_last:
                ready: asyncio.Future[tuple[bytes, bool]] = loop.create_future()
                stream.offer(_carrying(ready))
                data, is_last = await ready
                sequence += 1
                note = Note(self._session, sequence, 0, 0, is_last, data)
                await self._patiently(self._sender, Path.SEND, note, _ANSWER_SECONDS_MAX)
        except OSError as error:
            _log_lost(error)
            stream.abort()
        finally:
            self._sender.close()

    async def _receive(self, stream: StreamTransport) -> None:
        sequence, is_last = 0, False
        try:
            while not is_last:
                sequence += 1
                note = Note(self._session, sequence, 0, 0)
                answer = await self._patiently(self._receiver, Path.RECEIVE, note, _HELD_SECONDS_MAX)
                is_last = answer.is_last
                stream.feed(answer.stream, is_last=is_last)
        except OSError as error:
            _log_lost(error)
            stream.abort()
        finally:
            self._receiver.close()

    async def _patiently(self, poster: Poster, path: Path, note: Note, seconds_max: float) -> Note:
        """Try the same letter again where HTTP loses it; one that is refused is not taken the next time."""
        tries_left = HTTP_GOSSIP_TRIES_MAX
        while True:
            tries_left -= 1
            try:
                return await self._caller.call(poster, path, note, seconds_max)
            except OSError as error:
                has_ended = isinstance(error, PostRefused) and error.status == Fault.NO_SESSION.status
                if has_ended or not tries_left:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)


def _carrying(ready: asyncio.Future[tuple[bytes, bool]]) -> Taker:
    def take(data: bytes, is_last: bool) -> None:
        if not ready.done():
            ready.set_result((data, is_last))

    return take


def _log_lost(error: OSError) -> None:
    LOGGER.debug("a connection over HTTP is lost", extra={"fields": {"why": str(error)}})
