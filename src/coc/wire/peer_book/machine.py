"""The peer book: `step(now_ms, input) -> list[effect]`. The dispatch; what happens is in `handle/`.

Time is Unix time in milliseconds, because bans and last successes survive a restart; whoever drives the book
hands it a clock that does not jump while the node runs.
"""

from __future__ import annotations

from typing import assert_never

from coc.primitives.types import Millis, PeerId
from coc.wire.peer_book.effects import Effect
from coc.wire.peer_book.handle.addresses import (
    on_address_found,
    on_addresses_asked,
    on_addresses_told,
)
from coc.wire.peer_book.handle.administered import on_administered
from coc.wire.peer_book.handle.ended import on_connection_ended
from coc.wire.peer_book.handle.offered import on_connection_offered
from coc.wire.peer_book.handle.opened import on_connection_opened
from coc.wire.peer_book.handle.proven import on_peer_proven
from coc.wire.peer_book.handle.reported import on_address_reported, on_peer_reported
from coc.wire.peer_book.handle.ticked import on_ticked
from coc.wire.peer_book.handle.wanted import on_dial_wanted, on_privileged_changed
from coc.wire.peer_book.inputs import (
    AddressesAsked,
    AddressesTold,
    AddressFound,
    AddressReported,
    BanLifted,
    ConnectionEnded,
    ConnectionOffered,
    ConnectionOpened,
    DialWanted,
    Input,
    PeerAdded,
    PeerBanned,
    PeerProven,
    PeerRemoved,
    PeerReported,
    PrivilegedChanged,
    Ticked,
)
from coc.wire.peer_book.known import Known
from coc.wire.peer_book.rules import BookSetup
from coc.wire.peer_book.state import Core
from coc.wire.peer_book.store import StoredBook, encode_book


class PeerBook:
    """Decides whom to dial, whom to let in, and whom to keep out."""

    def __init__(self, setup: BookSetup, stored: StoredBook, now_ms: Millis) -> None:
        """Begin with what the operator configured and the last run learned."""
        self._core = Core(setup, stored, now_ms)

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        core = self._core
        match event:
            case Ticked():
                return on_ticked(core, now_ms)
            case ConnectionOffered():
                return on_connection_offered(core, now_ms, event)
            case PeerProven():
                return on_peer_proven(core, now_ms, event)
            case ConnectionOpened():
                return on_connection_opened(core, now_ms, event)
            case ConnectionEnded():
                return on_connection_ended(core, now_ms, event)
            case PeerReported():
                return on_peer_reported(core, now_ms, event)
            case AddressReported():
                return on_address_reported(core, now_ms, event)
            case AddressesAsked():
                return on_addresses_asked(core, now_ms, event)
            case AddressesTold():
                return on_addresses_told(core, now_ms, event)
            case AddressFound():
                return on_address_found(core, event)
            case DialWanted():
                return on_dial_wanted(core, now_ms, event)
            case PrivilegedChanged():
                return on_privileged_changed(core, event)
            case PeerAdded() | PeerRemoved() | PeerBanned() | BanLifted():
                return on_administered(core, now_ms, event)
            case _:
                assert_never(event)

    def encode(self, now_ms: Millis) -> bytes:
        """What the next run should know."""
        core = self._core
        return encode_book(core.known.learned(), core.reputations.entries(now_ms))

    def known(self) -> tuple[Known, ...]:
        """All addresses, for people to see."""
        return tuple(self._core.known)

    def is_banned(self, now_ms: Millis, peer: PeerId) -> bool:
        """Whether a peer stays out."""
        return self._core.reputations.is_banned(now_ms, peer)

    def bans(self, now_ms: Millis) -> tuple[tuple[PeerId | str, Millis], ...]:
        """Who stays out, a peer or an address, and until when."""
        standings = self._core.reputations.entries(now_ms)
        return tuple(
            (subject, Millis(standing.banned_until_ms))
            for subject, standing in standings
            if standing.banned_until_ms > now_ms
        )

    def is_privileged(self, peer: PeerId) -> bool:
        """Whether a peer is let in beyond the inbound share."""
        return self._core.is_privileged(peer)

    def is_host_banned(self, now_ms: Millis, host: str) -> bool:
        """Whether an address stays out."""
        return self._core.is_host_banned(now_ms, host)
