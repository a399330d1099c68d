"""What is left to fetch of one block's state, cut into errands. SYNC-9.

Whatever an account waits for goes before further accounts: storages and codes first, then the next slice of
accounts. An errand that comes to nothing is given back, whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from coc.consensus.sync.snapshot.effects import Subject
from coc.consensus.sync.snapshot.inputs import Begun, RangeGained
from coc.consensus.sync.snapshot.messages import (
    KEY_MAX,
    Range,
    encode_codes_request,
    encode_state_request,
    key_of,
)
from coc.consensus.sync.snapshot.trail import WHOLE, Trail
from coc.primitives.frozen import frozen
from coc.primitives.limits_snapshot import (
    SNAPSHOT_ANSWER_BYTES_MAX,
    SNAPSHOT_REQUEST_CODES_MAX,
    SNAPSHOT_REQUEST_STORAGES_MAX,
)
from coc.primitives.types import Hash32


@frozen
class StateErrand:
    """Ranges to be asked for together."""

    ranges: tuple[Range, ...]

    def body(self, block: Hash32) -> bytes:
        """The request's body."""
        return encode_state_request(block, SNAPSHOT_ANSWER_BYTES_MAX, self.ranges)


@frozen
class CodesErrand:
    """Codes to be asked for together."""

    hashes: tuple[Hash32, ...]

    def body(self, _block: Hash32) -> bytes:
        """The request's body."""
        return encode_codes_request(self.hashes)


@frozen
class SurroundingsErrand:
    """The block itself, and what lies around it."""

    def body(self, block: Hash32) -> bytes:
        """The request's body."""
        return block


Errand: TypeAlias = StateErrand | CodesErrand | SurroundingsErrand


@dataclass(slots=True)
class Work:
    """All that is still to be fetched, and what of it is under way."""

    accounts: Trail
    has_surroundings: bool
    storages: dict[Hash32, Trail] = field(default_factory=dict)
    open_storages: dict[Hash32, None] = field(default_factory=dict)
    """Those of which something may be asked for now, those that have waited longest first."""
    codes: dict[Hash32, None] = field(default_factory=dict)
    """Those that nobody is asked for."""
    asks_surroundings: bool = False

    @classmethod
    def after(cls, begun: Begun) -> Work:
        """What is left where a folder stands so."""
        start = WHOLE if begun.next is None else key_of(begun.next)
        return cls(Trail.begun(None, start), begun.has_surroundings)

    @property
    def is_done(self) -> bool:
        """Whether the native core has everything; an account is built in only when its parts are here."""
        return self.accounts.is_complete and self.has_surroundings

    def subjects(self) -> list[Subject]:
        """What is still needed of peers."""
        needed = [Subject.STATE] if self.storages or not self.accounts.is_complete else []
        if self.codes:
            needed.append(Subject.CODES)
        return needed if self.has_surroundings else [*needed, Subject.SURROUNDINGS]

    def take(self, subject: Subject) -> Errand | None:
        """The next errand about this subject, if there is one."""
        match subject:
            case Subject.STATE:
                return self._take_state()
            case Subject.CODES:
                hashes = tuple(islice(self.codes, SNAPSHOT_REQUEST_CODES_MAX))
                for hash_ in hashes:
                    del self.codes[hash_]
                return CodesErrand(hashes) if hashes else None
            case Subject.SURROUNDINGS:
                if self.has_surroundings or self.asks_surroundings:
                    return None
                self.asks_surroundings = True
                return SurroundingsErrand()

    def give_back(self, errand: Errand) -> None:
        """An errand came to nothing."""
        match errand:
            case StateErrand():
                self._give_back_ranges(errand.ranges)
            case CodesErrand():
                self.codes = dict.fromkeys(errand.hashes) | self.codes
            case SurroundingsErrand():
                self.asks_surroundings = False

    def note_state(self, errand: StateErrand, gained: tuple[RangeGained, ...]) -> None:
        """Ranges were verified, and the first ones of an errand may be all that came."""
        for range_, gain in zip(errand.ranges, gained, strict=False):
            trail = self._trail(range_.account)
            if trail is not None:
                trail.note(range_, key_of(gain.end))
            for account, start in gain.storages:
                self.storages[account] = Trail.begun(account, key_of(start))
                self.open_storages[account] = None
            self.codes.update(dict.fromkeys(gain.codes))
            self._look_again(range_.account)
        self._give_back_ranges(errand.ranges[len(gained) :])

    def note_codes(self, missing: tuple[Hash32, ...]) -> None:
        """Of an errand's codes these have not come."""
        self.codes = dict.fromkeys(missing) | self.codes

    def note_next(self, next_: bytes | None) -> None:
        """The native core has built in all accounts before this key."""
        self.accounts.note_built(KEY_MAX + 1 if next_ is None else key_of(next_))

    def _take_state(self) -> StateErrand | None:
        batch: list[Range] = []
        for account in list(islice(self.open_storages, SNAPSHOT_REQUEST_STORAGES_MAX)):
            trail = self.storages[account]
            if not trail.is_small and batch:
                break
            batch.append(trail.take())
            self._look_again(account)
            if not trail.is_small:
                break  # it fills an answer alone
        if batch:
            return StateErrand(tuple(batch))
        return StateErrand((self.accounts.take(),)) if self.accounts.has_next() else None

    def _give_back_ranges(self, ranges: tuple[Range, ...]) -> None:
        for range_ in ranges:
            trail = self._trail(range_.account)
            if trail is not None:
                trail.give_back(range_)
                self._look_again(range_.account)

    def _trail(self, account: Hash32 | None) -> Trail | None:
        return self.accounts if account is None else self.storages.get(account)

    def _look_again(self, account: Hash32 | None) -> None:
        """Whether a storage is complete, or can be asked for more."""
        if account is None or account not in self.storages:
            return
        trail = self.storages[account]
        if trail.is_complete:
            del self.storages[account]
            self.open_storages.pop(account, None)
        elif trail.has_next():
            self.open_storages.setdefault(account)
        else:
            self.open_storages.pop(account, None)
