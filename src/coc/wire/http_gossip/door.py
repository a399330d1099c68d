"""Who may open a session over HTTP, and who may go on with which: a pure machine.

It reads each request and says what is to be done: begin a session, hand bytes of the stream to one, or answer
with what one has to say. Ids of sessions are dice, and come from outside. HTTP-6, HTTP-7.
"""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, PeerId
from coc.wire.http_gossip.envelope import Direction, Letter, Note, Path, read_letter
from coc.wire.http_gossip.faults import Fault, LetterRefused
from coc.wire.http_gossip.freshness import Openers
from coc.wire.http_gossip.lane import Lane, Turn


@frozen
class Opening:
    """A sender asks for a session: `Door.admit` gives it one, if there is room."""

    sender: PeerId
    note: Note


@frozen
class Brought:
    """Bytes of a session's stream, to be taken; they were taken already where they came again."""

    session: bytes
    note: Note
    is_again: bool


@frozen
class Asked:
    """A session is asked for more of its stream; `again` is the answer it had before, if it asks again."""

    session: bytes
    note: Note
    again: tuple[bytes, bool] | None


Request: TypeAlias = Opening | Brought | Asked


class _Session:
    __slots__ = ("lanes", "sender")

    def __init__(self, sender: PeerId) -> None:
        self.sender = sender
        self.lanes = {Path.SEND: Lane(), Path.RECEIVE: Lane()}


class Door:
    """All sessions of a node that serves."""

    def __init__(self, genesis_hash: Hash32) -> None:
        """Nobody has come yet."""
        self._genesis_hash = genesis_hash
        self._openers = Openers()
        self._sessions: dict[bytes, _Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def read(self, now_ms: int, path: Path, data: bytes) -> Request:
        """Read a request.

        Raises:
            LetterRefused: it is not to be taken, and why.
        """
        letter = read_letter(data, Direction.REQUEST, path, self._genesis_hash)
        if path is Path.OPEN:
            return self._opening(now_ms, letter)
        session = self._sessions.get(letter.note.session)
        if session is None:
            raise LetterRefused(
                Fault.NO_SESSION, "there is no such session", why="it has ended, or the node has started anew"
            )
        if session.sender != letter.sender:
            raise LetterRefused(Fault.FORGED, "a letter for somebody else's session")
        lane = session.lanes[path]
        is_again = lane.take(now_ms, letter.note) is Turn.AGAIN
        if path is Path.SEND:
            return Brought(letter.note.session, letter.note, is_again)
        if letter.note.stream or letter.note.is_last:
            raise LetterRefused(Fault.MALFORMED, "a question that brings bytes of the stream")
        return Asked(letter.note.session, letter.note, lane.answer if is_again else None)

    def admit(self, session: bytes, sender: PeerId) -> None:
        """Begin a session that the peer book has room for."""
        self._sessions[session] = _Session(sender)

    def answered(self, session: bytes, answer: tuple[bytes, bool]) -> None:
        """Keep what a session's last question was answered, until the next one shows that it arrived."""
        found = self._sessions.get(session)
        if found is not None:
            found.lanes[Path.RECEIVE].answer = answer

    def end(self, session: bytes) -> None:
        """A session is over."""
        self._sessions.pop(session, None)

    def _opening(self, now_ms: int, letter: Letter) -> Opening:
        note = letter.note
        if note.session or note.sequence or note.stream or note.is_last:
            raise LetterRefused(Fault.MALFORMED, "an opening that brings more than a name")
        self._openers.take(now_ms, letter)
        return Opening(letter.sender, note)
