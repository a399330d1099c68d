"""One lane of a session: its letters carry the stream in order, each exactly once, though HTTP loses some.

A request can arrive and its answer be lost. So letters have a sequence, and the last one may come again: what
it brought is not taken twice, and what was answered is answered again. Nothing older is kept. HTTP-8.
"""

from __future__ import annotations

import enum

from coc.wire.http_gossip.envelope import Note
from coc.wire.http_gossip.faults import Fault, LetterRefused
from coc.wire.http_gossip.freshness import LaneClock


class Turn(enum.Enum):
    """What a letter of a lane is."""

    NEXT = "next"
    AGAIN = "again"


class Lane:
    """What one side knows of one lane."""

    __slots__ = ("_clock", "answer", "sequence")

    def __init__(self) -> None:
        """The first letter has sequence 1."""
        self._clock = LaneClock()
        self.sequence = 0
        """Of the last letter taken."""
        self.answer: tuple[bytes, bool] | None = None
        """What it was answered: bytes of the stream, and whether they are its last; None until it is."""

    def take(self, now_ms: int, note: Note) -> Turn:
        """Take a letter.

        Raises:
            LetterRefused: it is untimely, repeated, or out of order.
        """
        if note.sequence not in (self.sequence, self.sequence + 1) or not note.sequence:
            raise LetterRefused(
                Fault.OUT_OF_ORDER,
                "a letter out of order",
                why=f"sequence {note.sequence} where {self.sequence + 1} comes next",
            )
        self._clock.take(now_ms, note)
        if note.sequence == self.sequence:
            return Turn.AGAIN
        self.sequence = note.sequence
        self.answer = None
        return Turn.NEXT
