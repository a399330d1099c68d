"""What waits to leave one connection: a bounded queue for each class, and whose turn it is.

Consensus goes before everything, so it waits for at most one piece of another class: the one that left before
it came. The others share by weight, a piece at a time: each class has a mark that rises by bytes sent over
weight, and the lowest mark goes next. A class that was empty begins at the mark of the last piece sent, so
nobody saves up turns. WIRE-8, WIRE-9, WIRE-10.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from typing import Final

from coc.primitives.limits_wire import WIRE_QUEUE_FRAMES_MAX
from coc.wire.frames import HEAD_BYTES, encode_head
from coc.wire.kinds import CLASS_RULES, ClassRules, Kind, MessageClass, WhenFull
from coc.wire.pieces import PIECE_BYTES_MAX, encode_piece

_MARKS_PER_BYTE: Final = 8
"""A multiple of every share, so that marks stay whole numbers."""


class Put(enum.Enum):
    """What became of a frame."""

    TAKEN = "taken"
    REFUSED = "refused"
    OVERFLOW = "overflow"
    """The peer must have it and there is no room: it is too slow."""


class _Queue:
    """The frames of one class; of the first one, `sent_bytes` have left."""

    __slots__ = ("dropped_frames", "frames", "mark", "rules", "sent_bytes", "waiting_bytes")

    def __init__(self, rules: ClassRules) -> None:
        self.rules = rules
        self.frames: deque[tuple[bytes, bytes]] = deque()
        self.sent_bytes = 0
        self.waiting_bytes = 0
        self.dropped_frames = 0
        self.mark = 0

    def has_room_for(self, size: int) -> bool:
        return (
            len(self.frames) < WIRE_QUEUE_FRAMES_MAX
            and self.waiting_bytes + size <= self.rules.queue_bytes_max
        )

    def drop_until_room_for(self, size: int) -> bool:
        """Drop the oldest frames that have not begun to leave; False where even that is not enough."""
        first_whole = 1 if self.sent_bytes else 0
        while not self.has_room_for(size):
            if len(self.frames) <= first_whole:
                return False
            head, payload = self.frames[first_whole]
            del self.frames[first_whole]
            self.waiting_bytes -= len(head) + len(payload)
            self.dropped_frames += 1
        return True


class Outbound:
    """All queues of one connection."""

    __slots__ = ("_mark", "_queues", "waiting_bytes")

    def __init__(self, rules: Mapping[MessageClass, ClassRules] = CLASS_RULES) -> None:
        """All empty."""
        self._queues = {message_class: _Queue(rules[message_class]) for message_class in MessageClass}
        self._mark = 0
        self.waiting_bytes = 0
        """Of all frames that have not left whole: asked for several times a message, so it is kept."""

    @property
    def dropped_frames(self) -> int:
        """Frames forgotten for newer ones since the connection began."""
        return sum(queue.dropped_frames for queue in self._queues.values())

    def put(self, kind: Kind, payload: bytes) -> Put:
        """Queue a frame, if its class has room or makes some.

        Raises:
            LocalError: the payload is longer than any frame's.
        """
        head = encode_head(kind.number, len(payload))
        queue = self._queues[kind.message_class]
        size = HEAD_BYTES + len(payload)
        if not queue.has_room_for(size):
            when_full = queue.rules.when_full
            if when_full is WhenFull.CLOSE:
                return Put.OVERFLOW
            waiting_before = queue.waiting_bytes
            has_room = when_full is not WhenFull.REFUSE and queue.drop_until_room_for(size)
            self.waiting_bytes -= waiting_before - queue.waiting_bytes
            if not has_room:
                return Put.REFUSED
        if not queue.frames:
            queue.mark = max(queue.mark, self._mark)
        queue.frames.append((head, payload))
        queue.waiting_bytes += size
        self.waiting_bytes += size
        return Put.TAKEN

    def next_piece(self, bytes_max: int = PIECE_BYTES_MAX) -> bytes | None:
        """The piece whose turn it is; None where nothing waits, or the piece has more than `bytes_max`."""
        message_class = self._next_class()
        if message_class is None:
            return None
        queue = self._queues[message_class]
        head, payload = queue.frames[0]
        start = queue.sent_bytes
        stop = min(start + PIECE_BYTES_MAX, HEAD_BYTES + len(payload))
        if stop - start > bytes_max:
            return None
        part = payload[max(0, start - HEAD_BYTES) : stop - HEAD_BYTES]
        if start == 0:
            part = head + part
        is_last = stop == HEAD_BYTES + len(payload)
        if is_last:
            queue.frames.popleft()
            queue.waiting_bytes -= stop
            self.waiting_bytes -= stop
            queue.sent_bytes = 0
        else:
            queue.sent_bytes = stop
        if queue.rules.share:
            self._mark = queue.mark
            queue.mark += (stop - start) * _MARKS_PER_BYTE // queue.rules.share
        return encode_piece(message_class, part, is_last=is_last)

    def clear(self) -> None:
        """Forget everything: nothing may follow a goodbye."""
        for queue in self._queues.values():
            queue.frames.clear()
            queue.waiting_bytes = queue.sent_bytes = 0
        self.waiting_bytes = 0

    def _next_class(self) -> MessageClass | None:
        if not self.waiting_bytes:
            return None
        waiting = [
            (queue.rules.share > 0, queue.mark, message_class)
            for message_class, queue in self._queues.items()
            if queue.frames
        ]
        return min(waiting)[2]
