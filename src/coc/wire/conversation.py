"""What two proven nodes say to each other over an encrypted channel: welcome, frames, pings, goodbye.

A `Session` builds one when its handshake is done. It keeps the two directions (`Outbound`, `Assembly`), and
the deadlines of a connection that is up.
"""

from __future__ import annotations

from coc.primitives.limits_wire import (
    WIRE_ASSEMBLY_MS_MAX,
    WIRE_CONTROL_PER_WINDOW_FRAMES_MAX,
    WIRE_CONTROL_WINDOW_MS,
    WIRE_IDLE_MS_MAX,
    WIRE_PING_MS,
    WIRE_STALL_MS_MAX,
)
from coc.wire.control import decode_goodbye
from coc.wire.errors import Reason, RemoteError
from coc.wire.events import Closed, Event, Opened, Received
from coc.wire.frames import encode_frame
from coc.wire.kinds import GOODBYE, KINDS, PING, PONG, WELCOME, Kind, MessageClass
from coc.wire.noise import NOISE_TAG_BYTES, NoiseChannel
from coc.wire.outbound import Outbound, Put
from coc.wire.pieces import (
    PIECE_HEAD_BYTES,
    RECORD_HEAD_BYTES,
    Assembly,
    encode_piece,
    encode_record,
)

_OVERHEAD_BYTES = RECORD_HEAD_BYTES + NOISE_TAG_BYTES + PIECE_HEAD_BYTES


class Conversation:
    """Both directions of a connection whose handshake is done."""

    def __init__(self, channel: NoiseChannel, now_ms: int) -> None:
        """Neither side has welcomed the other yet."""
        self._channel = channel
        self._assembly = Assembly()
        self._outbound = Outbound()
        self._now_ms = now_ms
        self._heard_ms = now_ms
        self._pinged_ms = now_ms
        self._moved_ms = now_ms
        self._window_ms = now_ms
        self._window_frames = 0
        self._is_welcomed = False
        self.has_welcomed = False

    @property
    def is_open(self) -> bool:
        """Whether both sides have welcomed each other."""
        return self.has_welcomed and self._is_welcomed

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for the peer."""
        return self._outbound.waiting_bytes

    @property
    def assembling_bytes(self) -> int:
        """Bytes of the peer's unfinished frames."""
        return self._assembly.held_bytes

    @property
    def dropped_frames(self) -> int:
        """Frames forgotten for newer ones."""
        return self._outbound.dropped_frames

    # ── To the peer ─────────────────────────────────────────────────────────────────────────────────────────

    def put(self, kind: Kind, payload: bytes) -> Put:
        """Queue a frame."""
        if not self._outbound.waiting_bytes:
            self._moved_ms = self._now_ms
        return self._outbound.put(kind, payload)

    def next_record(self, bytes_max: int) -> bytes | None:
        """Seal the piece whose turn it is, if its record has at most `bytes_max` bytes."""
        piece = self._outbound.next_piece(bytes_max - _OVERHEAD_BYTES)
        if piece is None:
            return None
        self._moved_ms = self._now_ms
        return encode_record(self._channel.seal(piece))

    def welcome(self) -> bytes:
        """Our welcome, sealed: it leaves before anything that is queued."""
        self.has_welcomed = True
        return self._sealed(WELCOME, b"")

    def goodbye(self, payload: bytes) -> bytes:
        """Our last record."""
        return self._sealed(GOODBYE, payload)

    def clear(self) -> None:
        """Forget all that waits and all that is unfinished: the connection is over."""
        self._outbound.clear()
        self._assembly = Assembly()

    def _sealed(self, kind: Kind, payload: bytes) -> bytes:
        frame = encode_frame(kind.number, payload)
        return encode_record(self._channel.seal(encode_piece(kind.message_class, frame, is_last=True)))

    # ── From the peer ───────────────────────────────────────────────────────────────────────────────────────

    def on_message(self, message: bytes) -> Event | None:
        """Open the peer's next message; what it completes, where that concerns the owner.

        Raises:
            RemoteError: the peer broke the protocol.
        """
        try:
            piece = self._channel.open(message)
        except ValueError as error:
            raise RemoteError("a message that does not decrypt", why=str(error)) from error
        self._heard_ms = self._now_ms
        frame = self._assembly.take(self._now_ms, piece)
        if frame is not None and KINDS[frame.type].message_class is MessageClass.CONTROL:
            return self._on_control(KINDS[frame.type], frame.payload)
        if not self.is_open:  # WIRE-6
            raise RemoteError("a frame before both sides have welcomed each other")
        return None if frame is None else Received(KINDS[frame.type], frame.payload)

    def _on_control(self, kind: Kind, payload: bytes) -> Event | None:
        self._count_control()
        if kind is GOODBYE:
            return Closed(decode_goodbye(payload), is_peers_word=True)
        if kind is WELCOME:
            if self._is_welcomed:
                raise RemoteError("a second welcome")
            self._is_welcomed = True
            return Opened() if self.is_open else None
        if not self.is_open:
            raise RemoteError("a frame before both sides have welcomed each other", why=kind.name)
        if kind is PING:
            self.put(PONG, b"")
            return None
        return None if kind is PONG else Received(kind, payload)

    def _count_control(self) -> None:
        if self._now_ms - self._window_ms >= WIRE_CONTROL_WINDOW_MS:
            self._window_ms = self._now_ms
            self._window_frames = 0
        self._window_frames += 1
        if self._window_frames > WIRE_CONTROL_PER_WINDOW_FRAMES_MAX:
            raise RemoteError(
                "too many control frames",
                why=f"more than {WIRE_CONTROL_PER_WINDOW_FRAMES_MAX} in {WIRE_CONTROL_WINDOW_MS} ms",
            )

    # ── Time ────────────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now_ms: int) -> None:
        """Tell the time; ping a peer that says nothing.

        Raises:
            RemoteError: a deadline has passed.
        """
        self._now_ms = now_ms
        if now_ms - self._heard_ms > WIRE_IDLE_MS_MAX:
            raise RemoteError(
                "the peer is silent", why=f"for {WIRE_IDLE_MS_MAX} ms, pings included", reason=Reason.SILENT
            )
        if self._outbound.waiting_bytes and now_ms - self._moved_ms > WIRE_STALL_MS_MAX:
            raise RemoteError(
                "the peer does not read",
                why=f"nothing left for {WIRE_STALL_MS_MAX} ms",
                reason=Reason.TOO_SLOW,
            )
        since_ms = self._assembly.since_ms()
        if since_ms is not None and now_ms - since_ms > WIRE_ASSEMBLY_MS_MAX:
            raise RemoteError(
                "the peer does not finish a frame",
                why=f"begun more than {WIRE_ASSEMBLY_MS_MAX} ms ago",
                reason=Reason.TOO_SLOW,
            )
        if self.is_open and now_ms - max(self._heard_ms, self._pinged_ms) >= WIRE_PING_MS:
            self.ping()

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._pinged_ms = self._now_ms
        self.put(PING, b"")
