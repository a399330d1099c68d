"""Bytes of all links together, so that many peers cannot do what one may not. WIRE-11."""

from __future__ import annotations

from coc.adapters.wire.link import Link
from coc.primitives.limits_wire import WIRE_ASSEMBLING_BYTES_MAX, WIRE_QUEUED_BYTES_MAX
from coc.wire.kinds import Kind, MessageClass

_ALWAYS_TAKEN = frozenset((MessageClass.CONSENSUS, MessageClass.CONTROL))


class Traffic:
    """What waits for peers, and what peers have begun to send."""

    def __init__(self) -> None:
        """No links yet."""
        self._waiting: dict[Link, int] = {}
        self._assembling: dict[Link, int] = {}
        self.waiting_bytes = 0
        self.assembling_bytes = 0

    def count(self, link: Link) -> None:
        """Take the figures of a link as they are now."""
        session = link.session
        waiting = 0 if session is None else session.waiting_bytes
        assembling = 0 if session is None else session.assembling_bytes
        self.forget(link)
        if waiting:
            self._waiting[link] = waiting
            self.waiting_bytes += waiting
        if assembling:
            self._assembling[link] = assembling
            self.assembling_bytes += assembling

    def forget(self, link: Link) -> None:
        """A link is gone, with all it held; only such as hold something are remembered."""
        self.waiting_bytes -= self._waiting.pop(link, 0)
        self.assembling_bytes -= self._assembling.pop(link, 0)

    def has_room_for(self, kind: Kind, payload: bytes) -> bool:
        """Whether a message may wait for its peer."""
        return (
            kind.message_class in _ALWAYS_TAKEN or self.waiting_bytes + len(payload) <= WIRE_QUEUED_BYTES_MAX
        )

    def greediest(self) -> Link | None:
        """Who holds most of the unfinished frames, where they are too many; None where they are not."""
        if self.assembling_bytes <= WIRE_ASSEMBLING_BYTES_MAX:
            return None
        return max(self._assembling, key=lambda link: self._assembling[link])
