"""Addresses that are known, and when each may be dialled.

A failed address waits 1 s, 2 s, 4 s … up to 30 s. One that an operator configured is tried for ever; a
learned one is forgotten after `DIAL_FAILURES_MAX` failures in a row, if others can be reached. A list that is
full makes room by forgetting what never worked and failed most. WIRE-21, WIRE-22, WIRE-25.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from coc.primitives.keccak import keccak256
from coc.primitives.limits_wire import (
    ADDRESSES_KNOWN_MAX,
    ADDRESSES_PER_NETWORK_MAX,
    DIAL_BACKOFF_MS_MAX,
    DIAL_BACKOFF_MS_MIN,
    DIAL_FAILURES_MAX,
)
from coc.primitives.types import PeerId
from coc.wire.addresses import PeerAddress, network_of
from coc.wire.peer_book.rules import BookSetup

NEVER_MS: Final = 2**63
"""Later than any clock says."""


class Source(enum.IntEnum):
    """Where an address comes from; numbers are those of the store."""

    PERSISTENT = 0
    SEED = 1
    TOLD = 2
    INBOUND = 3
    FOUND = 4


@dataclass(slots=True)
class Known:
    """One address."""

    address: PeerAddress
    source: Source
    expected: PeerId | None = None
    """Who must answer."""
    seen: PeerId | None = None
    """Who answered last: while that peer is connected, there is no need to dial."""
    succeeded_ms: int = 0
    failures: int = 0
    due_ms: int = 0
    rank: bytes = b""
    """Orders equals differently on every node, so that they do not all dial the same."""

    @property
    def is_persistent(self) -> bool:
        """Whether an operator configured it."""
        return self.source is Source.PERSISTENT

    def worth(self) -> tuple[bool, int, int, bytes]:
        """Sorts the best to the front."""
        return (not self.succeeded_ms, self.failures, -self.succeeded_ms, self.rank)


class KnownAddresses:
    """All of them, within their bounds."""

    def __init__(self, setup: BookSetup) -> None:
        """Begin with what the operator configured."""
        self._setup = setup
        self._by_address: dict[PeerAddress, Known] = {}
        self._networks: Counter[str] = Counter()
        self._spare: list[Known] = []
        for peer in setup.persistent:
            self._insert(Known(peer.address, Source.PERSISTENT, expected=peer.peer))
        for address in setup.seeds:
            self.learn(Known(address, Source.SEED), frozenset())

    def __len__(self) -> int:
        return len(self._by_address)

    def __iter__(self) -> Iterator[Known]:
        return iter(self._by_address.values())

    def get(self, address: PeerAddress) -> Known | None:
        """What is known of an address."""
        return self._by_address.get(address)

    def learn(self, known: Known, in_use: frozenset[PeerAddress]) -> bool:
        """Remember an address if there is room, or room can be made by forgetting one not `in_use`.

        What is known already is never replaced: hearsay must not change what was found out.
        """
        if known.address in self._by_address:
            return False
        host = known.address.host
        if not self._setup.is_exempt(host) and (
            self._networks[network_of(host)] >= ADDRESSES_PER_NETWORK_MAX
        ):
            return False
        if len(self._by_address) >= ADDRESSES_KNOWN_MAX and not self._make_room(in_use):
            return False
        self._insert(known)
        return True

    def configure(self, known: Known) -> None:
        """Remember what an operator names; there is always room for it."""
        self._insert(known)

    def dismiss(self, known: Known) -> None:
        """Forget an address, whoever named it."""
        if known.is_persistent:
            del self._by_address[known.address]
        else:
            self.forget(known)

    def forget(self, known: Known) -> None:
        """Forget an address that was not configured."""
        if not known.is_persistent and self._by_address.pop(known.address, None) is not None:
            self._networks[network_of(known.address.host)] -= 1

    def on_success(self, now_ms: int, known: Known, peer: PeerId) -> None:
        """The address led to a peer that took us in; what failed before, during an outage, counts half."""
        known.succeeded_ms = now_ms
        known.seen = peer
        known.failures = min(known.failures, DIAL_FAILURES_MAX // 2)

    def on_failure(self, now_ms: int, known: Known, *, is_online: bool) -> None:
        """Wait, longer each time; a learned address is forgotten in the end, unless we are cut off."""
        known.failures += 1
        known.due_ms = now_ms + backoff_ms(known.failures)
        if known.failures >= DIAL_FAILURES_MAX and is_online:
            self.forget(known)

    def due(self, now_ms: int, *, with_learned: bool) -> list[Known]:
        """Addresses whose wait is over: configured ones first, then the best of the learned."""
        due = (known for known in self if known.due_ms <= now_ms and (with_learned or known.is_persistent))
        return sorted(due, key=lambda known: (not known.is_persistent, known.worth()))

    def learned(self) -> Iterable[Known]:
        """Addresses that were not configured."""
        return (known for known in self if not known.is_persistent)

    def _insert(self, known: Known) -> None:
        known.rank = keccak256(self._setup.own + str(known.address).encode())
        self._by_address[known.address] = known
        if not known.is_persistent:
            self._networks[network_of(known.address.host)] += 1

    def _make_room(self, in_use: frozenset[PeerAddress]) -> bool:
        """Forget the worst that never worked; the order is made once for many, as hearsay comes in bulk."""
        for is_fresh in (False, True):
            if is_fresh:
                unproven = (known for known in self.learned() if not known.succeeded_ms)
                self._spare = sorted(unproven, key=Known.worth)
            while self._spare:
                worst = self._spare.pop()
                is_known = self._by_address.get(worst.address) is worst
                if is_known and not worst.succeeded_ms and worst.address not in in_use:
                    self.forget(worst)
                    return True
        return False


def backoff_ms(failures: int) -> int:
    """How long an address rests after so many failures in a row."""
    return min(DIAL_BACKOFF_MS_MIN << min(failures - 1, 32), DIAL_BACKOFF_MS_MAX)
