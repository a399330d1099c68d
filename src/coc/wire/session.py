"""One connection, without its socket: bytes in, events out; messages in, bytes out.

    handshake ──▶ proven ── both welcome ──▶ open ──▶ closed
        └────────────┴───────────────────────┴──────────▲

After the handshake both sides know who the other is, and each decides whether it has room. WELCOME says yes
and GOODBYE says why not, so no frame reaches a layer before both have said yes (WIRE-6). The owner feeds what
came (`receive`), the time (`tick`) and messages (`send`), and takes `data_to_send` as the socket drains: what
is sealed has its place in the stream, so the less is taken at a time, the sooner a vote gets through.
"""

from __future__ import annotations

from collections import deque

from coc.primitives.limits_wire import WIRE_HANDSHAKE_MS_MAX, WIRE_NOISE_MESSAGE_BYTES_MAX
from coc.primitives.types import PeerId
from coc.wire.control import encode_goodbye
from coc.wire.conversation import Conversation
from coc.wire.errors import LocalError, Reason, RemoteError
from coc.wire.events import Closed, Event, Opened, Proven
from coc.wire.handshake import Handshake, HandshakeSetup, Outcome
from coc.wire.kinds import GOODBYE, PING, PONG, WELCOME, Kind
from coc.wire.outbound import Put
from coc.wire.pieces import RECORD_BYTES_MAX, RecordReader, encode_record

_OWN_KINDS = frozenset((WELCOME, GOODBYE, PING, PONG))
"""Only a session itself sends these."""


class Session:
    """The protocol of one connection."""

    def __init__(
        self, setup: HandshakeSetup, now_ms: int, *, is_initiator: bool, expected: PeerId | None = None
    ) -> None:
        """Begin, as the one who dialled or as the other; `expected` is who must answer, if that is known."""
        self._stage: Handshake | Conversation = Handshake(setup, is_initiator=is_initiator, expected=expected)
        self._reader = RecordReader()
        self._sealed: deque[bytes] = deque()
        self._events: list[Event] = []
        self._started_ms = now_ms
        self._now_ms = now_ms
        self._is_closed = False
        first = self._stage.open()
        if first is not None:
            self._sealed.append(encode_record(first))

    @property
    def is_closed(self) -> bool:
        """Whether `Closed` was said."""
        return self._is_closed

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent."""
        return not self._is_closed and isinstance(self._stage, Conversation) and self._stage.is_open

    @property
    def has_said_all(self) -> bool:
        """Whether a closed session has nothing left for its socket."""
        return self._is_closed and not self._sealed

    @property
    def waiting_bytes(self) -> int:
        """Bytes of messages that wait for the peer."""
        return self._stage.waiting_bytes if isinstance(self._stage, Conversation) else 0

    @property
    def assembling_bytes(self) -> int:
        """Bytes of the peer's unfinished frames."""
        return self._stage.assembling_bytes if isinstance(self._stage, Conversation) else 0

    # ── From the peer ───────────────────────────────────────────────────────────────────────────────────────

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes of the stream, in whatever portions they come."""
        if self._is_closed:
            return []
        try:
            self._reader.feed(data)
            farewell = self._read_records()
        except RemoteError as error:
            self._fail(error)
        else:
            if farewell is not None:
                self._close(farewell)
        return self._take_events()

    def lost(self) -> list[Event]:
        """The connection broke, or the peer has ended it without a word."""
        if not self._is_closed:
            self._close(Closed(Reason.LOST))
        return self._take_events()

    def _read_records(self) -> Closed | None:
        """Take every whole record; the peer's goodbye, if it was the last of them."""
        while (message := self._reader.next()) is not None:
            farewell = self._on_message(message)
            if farewell is not None:
                if self._reader.held_bytes:
                    raise RemoteError("the peer went on after its goodbye", why=farewell.reason.name)
                return farewell
        return None

    def _on_message(self, message: bytes) -> Closed | None:
        stage = self._stage
        if isinstance(stage, Handshake):
            answer = stage.on_message(message)
            if answer is not None:
                self._sealed.append(encode_record(answer))
            if stage.outcome is not None:
                self._on_outcome(stage.outcome)
            return None
        event = stage.on_message(message)
        if isinstance(event, Closed):
            return event
        if event is not None:
            self._events.append(event)
        return None

    def _on_outcome(self, outcome: Outcome) -> None:
        self._stage = Conversation(outcome.channel, self._now_ms)
        self._reader.bytes_max = WIRE_NOISE_MESSAGE_BYTES_MAX
        if isinstance(outcome.verdict, RemoteError):
            raise outcome.verdict
        self._events.append(Proven(outcome.verdict, outcome.hash))

    # ── From the owner ──────────────────────────────────────────────────────────────────────────────────────

    def accept(self) -> list[Event]:
        """Welcome the proven peer.

        Raises:
            LocalError: nobody was proven, or was welcomed already.
        """
        if self._is_closed:
            return []
        stage = self._stage
        if isinstance(stage, Handshake) or stage.has_welcomed:
            raise LocalError("only a proven peer can be welcomed, and only once")
        self._sealed.append(stage.welcome())
        if self.is_open:
            self._events.append(Opened())
        return self._take_events()

    def leave(self, reason: Reason) -> list[Event]:
        """Say goodbye, if the peer can already read it, and close."""
        if not self._is_closed:
            self._say_goodbye(reason)
            self._close(Closed(reason))
        return self._take_events()

    def send(self, kind: Kind, payload: bytes) -> bool:
        """Queue a message; False where its class has no room, or the connection is closed.

        A consensus message without room closes the connection: `events` then has the reason.

        Raises:
            LocalError: the connection is not open yet, the kind is the session's own, or the payload is
            longer than the kind may be.
        """
        if self._is_closed:
            return False
        stage = self._stage
        if isinstance(stage, Handshake) or not stage.is_open:
            raise LocalError("nothing can be sent before both sides have welcomed each other", why=kind.name)
        if kind in _OWN_KINDS:
            raise LocalError("a message that only the session itself sends", why=kind.name)
        if len(payload) > kind.bytes_max:
            raise LocalError(
                "a payload too long for its kind",
                why=f"{kind.name} has {len(payload)} bytes where {kind.bytes_max} are allowed",
            )
        put = stage.put(kind, payload)
        if put is Put.OVERFLOW:
            self._fail(
                RemoteError(
                    "the peer does not keep up", why=f"no room left for {kind.name}", reason=Reason.TOO_SLOW
                )
            )
        return put is Put.TAKEN

    def ping(self) -> None:
        """Ask for a sign of life now: a connection that is dead shows it."""
        if self.is_open and isinstance(self._stage, Conversation):
            self._stage.ping()

    def events(self) -> list[Event]:
        """What happened outside `receive` and `tick`."""
        return self._take_events()

    # ── To the peer ─────────────────────────────────────────────────────────────────────────────────────────

    def data_to_send(self, budget_bytes: int) -> bytes:
        """Bytes for the socket: whole records, as many as fit, and one where none fits; empty when done."""
        out: list[bytes] = []
        taken = 0
        while self._sealed and (not out or taken + len(self._sealed[0]) <= budget_bytes):
            out.append(self._sealed.popleft())
            taken += len(out[-1])
        stage = self._stage
        if self._is_closed or self._sealed or isinstance(stage, Handshake):
            return b"".join(out)
        while (record := stage.next_record(budget_bytes - taken if out else RECORD_BYTES_MAX)) is not None:
            out.append(record)
            taken += len(record)
        return b"".join(out)

    # ── Time and end ────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now_ms: int) -> list[Event]:
        """Tell the time; deadlines that have passed close the connection."""
        if self._is_closed:
            return self._take_events()
        self._now_ms = max(self._now_ms, now_ms)
        try:
            self._check_deadlines()
        except RemoteError as error:
            self._fail(error)
        return self._take_events()

    def _check_deadlines(self) -> None:
        if not self.is_open and self._now_ms - self._started_ms > WIRE_HANDSHAKE_MS_MAX:
            raise RemoteError(
                "the handshake was not finished in time",
                why=f"it had {WIRE_HANDSHAKE_MS_MAX} ms",
                reason=Reason.HANDSHAKE_TIMEOUT,
            )
        if isinstance(self._stage, Conversation):
            self._stage.tick(self._now_ms)

    def _fail(self, error: RemoteError) -> None:
        self._say_goodbye(error.reason)
        self._close(Closed(error.reason, error))

    def _say_goodbye(self, reason: Reason) -> None:
        if isinstance(self._stage, Conversation):
            self._sealed.append(self._stage.goodbye(encode_goodbye(reason)))

    def _close(self, event: Closed) -> None:
        self._is_closed = True
        self._events.append(event)
        if isinstance(self._stage, Conversation):
            self._stage.clear()

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events
