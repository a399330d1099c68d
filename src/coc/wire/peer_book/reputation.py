"""Points of misbehaviour that fade, and bans that do not: our private view of peers and addresses.

A subject is a peer id (bytes) or the owner of an address (text, see `addresses.owner_of`). Points halve every
`REPUTATION_HALF_LIFE_MS`. Whoever reaches `REPUTATION_BAN_POINTS_MIN` is banned for half an hour, and twice
as long each time it happens again within `BAN_MEMORY_MS`, up to a day. WIRE-28, WIRE-29.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from coc.primitives.frozen import frozen, replace
from coc.primitives.limits_wire import (
    BAN_MEMORY_MS,
    BAN_MS_MAX,
    BAN_MS_MIN,
    REPUTATION_BAN_POINTS_MIN,
    REPUTATION_ENTRIES_MAX,
    REPUTATION_HALF_LIFE_MS,
)
from coc.primitives.types import PeerId
from coc.wire.errors import Reason

Subject: TypeAlias = PeerId | str

FAULT_POINTS: Final[Mapping[Reason, int]] = {
    Reason.PROTOCOL_BROKEN: REPUTATION_BAN_POINTS_MIN,
    Reason.IDENTITY_NOT_PROVEN: 50,
    Reason.HANDSHAKE_TIMEOUT: 10,
    Reason.OTHER_VERSION: 5,
    Reason.OTHER_GENESIS: 5,
    Reason.OTHER_FORKS: 5,
}
"""What a peer's fault costs it. A slow or silent one is only called back later: the network does that too."""

UNPROVEN_POINTS_MAX: Final = 25
"""What an address can lose by one connection that proved no identity: others may share the address."""

UNASKED_POINTS: Final = 20
"""What addresses cost that nobody asked for."""

_KEPT_AFTER_PRUNING: Final = REPUTATION_ENTRIES_MAX * 7 // 8


@frozen
class Standing:
    """What is remembered of one subject."""

    points: float
    updated_ms: int
    bans: int = 0
    banned_until_ms: int = 0

    def points_at(self, now_ms: int) -> float:
        """What is left of the points."""
        elapsed_ms = max(0, now_ms - self.updated_ms)
        left: float = self.points * 0.5 ** (elapsed_ms / REPUTATION_HALF_LIFE_MS)
        return left


class Reputations:
    """The standing of everybody who has one."""

    def __init__(self, known: Iterable[tuple[Subject, Standing]] = ()) -> None:
        """Begin with what was remembered."""
        self._standings: dict[Subject, Standing] = dict(known)

    def is_banned(self, now_ms: int, subject: Subject) -> bool:
        """Whether a ban is running."""
        standing = self._standings.get(subject)
        return standing is not None and now_ms < standing.banned_until_ms

    def points(self, now_ms: int, subject: Subject) -> float:
        """Points that have not faded."""
        standing = self._standings.get(subject)
        return 0.0 if standing is None else standing.points_at(now_ms)

    def add(self, now_ms: int, subject: Subject, points: int) -> int | None:
        """Add points; until when the subject is banned, if this was what banned it."""
        before = self._standings.get(subject, Standing(0.0, now_ms))
        if now_ms < before.banned_until_ms:
            return None
        total = before.points_at(now_ms) + points
        if total >= REPUTATION_BAN_POINTS_MIN:
            return self.ban(now_ms, subject)
        self._set(now_ms, subject, replace(before, points=total, updated_ms=now_ms))
        return None

    def ban(self, now_ms: int, subject: Subject, for_ms: int = 0) -> int | None:
        """Ban a subject, longer if it was banned lately; until when, or None where a ban is running.

        `for_ms` says how long it lasts at least.
        """
        before = self._standings.get(subject, Standing(0.0, now_ms))
        if now_ms < before.banned_until_ms:
            return None
        is_again = bool(before.bans) and now_ms - before.banned_until_ms <= BAN_MEMORY_MS
        bans = before.bans + 1 if is_again else 1
        until_ms = now_ms + max(ban_ms(bans), for_ms)
        self._set(now_ms, subject, Standing(0.0, now_ms, bans, until_ms))
        return until_ms

    def forgive(self, subject: Subject) -> None:
        """Forget whatever was held against a subject."""
        self._standings.pop(subject, None)

    def entries(self, now_ms: int) -> list[tuple[Subject, Standing]]:
        """All that still means something."""
        return [
            (subject, standing)
            for subject, standing in self._standings.items()
            if standing.points_at(now_ms) >= 1
            or (standing.bans and now_ms - standing.banned_until_ms <= BAN_MEMORY_MS)
        ]

    def _set(self, now_ms: int, subject: Subject, standing: Standing) -> None:
        self._standings[subject] = standing
        if len(self._standings) > REPUTATION_ENTRIES_MAX:
            self._prune(now_ms)

    def _prune(self, now_ms: int) -> None:
        """Forget the least burdened, some at a time."""
        ranked = sorted(
            self._standings.items(),
            key=lambda entry: (
                max(entry[1].banned_until_ms, now_ms),
                entry[1].points_at(now_ms),
                entry[1].updated_ms,
            ),
            reverse=True,
        )
        self._standings = dict(ranked[:_KEPT_AFTER_PRUNING])


def ban_ms(bans: int) -> int:
    """How long the `bans`-th ban in a row lasts."""
    return min(BAN_MS_MIN << min(bans - 1, 32), BAN_MS_MAX)
