"""Whether a letter is new: by its time, and by a nonce that rises.

A clock that is far off makes a letter untimely. Of timely ones, each of one sender on one lane must be
younger than the one before: later, or of the same millisecond with a higher nonce. So one pair of numbers a
lane is all that has to be remembered, and no window can be flooded. HTTP-4, HTTP-5.
"""

from __future__ import annotations

from coc.primitives.limits_http_gossip import HTTP_GOSSIP_CLOCK_MS_MAX, HTTP_GOSSIP_OPENERS_MAX
from coc.primitives.types import PeerId
from coc.wire.http_gossip.envelope import Letter, Note
from coc.wire.http_gossip.faults import Fault, LetterRefused

_NEVER = (-1, -1)


class LaneClock:
    """The youngest letter of one lane."""

    __slots__ = ("_youngest",)

    def __init__(self) -> None:
        """None came yet."""
        self._youngest = _NEVER

    def take(self, now_ms: int, note: Note) -> None:
        """Take a letter's time and nonce.

        Raises:
            LetterRefused: it is untimely, or not younger than the last one.
        """
        self._youngest = _younger(now_ms, note, self._youngest)


class Openers:
    """The last opening of each sender, as long as its repetition would be timely."""

    def __init__(self) -> None:
        """Nobody has opened anything."""
        self._youngest: dict[PeerId, tuple[int, int]] = {}

    def take(self, now_ms: int, letter: Letter) -> None:
        """Take an opening.

        Where more senders open than are remembered, the one whose opening is longest ago is forgotten: its
        repetition costs a place for strangers until the handshake's time is over, and proves nobody.

        Raises:
            LetterRefused: it is untimely, or not younger than the sender's last one.
        """
        before = self._youngest.get(letter.sender, _NEVER)
        youngest = _younger(now_ms, letter.note, before)
        self._youngest.pop(letter.sender, None)
        self._youngest[letter.sender] = youngest
        if len(self._youngest) > HTTP_GOSSIP_OPENERS_MAX:
            del self._youngest[next(iter(self._youngest))]


def verify_time(now_ms: int, note: Note) -> None:
    """See that a letter was written about now.

    Raises:
        LetterRefused: it was not.
    """
    if abs(note.time_ms - now_ms) > HTTP_GOSSIP_CLOCK_MS_MAX:
        raise LetterRefused(
            Fault.UNTIMELY,
            "a letter of another time",
            why=f"it says {note.time_ms}, the clock here {now_ms} (Unix milliseconds)",
            cure="set the clocks of both machines",
        )


def _younger(now_ms: int, note: Note, before: tuple[int, int]) -> tuple[int, int]:
    verify_time(now_ms, note)
    youngest = (note.time_ms, note.nonce)
    if youngest <= before:
        raise LetterRefused(Fault.REPEATED, "a letter that is not younger than the one before")
    return youngest
