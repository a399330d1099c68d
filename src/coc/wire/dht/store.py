"""Records held for others, within bounds that no publisher, host or key can exceed (DHT-17 to DHT-19).

When all places are taken, the record whose key is farthest from us makes room for a nearer one: a flood of
random keys pushes out itself. Under a full key, the host with the most records loses the one that expires
first, so a content with many providers stays findable through several of them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter

from coc.primitives.frozen import frozen
from coc.primitives.limits_dht import (
    RECORDS_MAX,
    RECORDS_PER_HOST_MAX,
    RECORDS_PER_KEY_MAX,
    RECORDS_PER_PUBLISHER_MAX,
)
from coc.primitives.types import Hash32, PeerId
from coc.wire.dht.distance import distance
from coc.wire.dht.hosts import Host, HostPolicy
from coc.wire.dht.messages import Verdict
from coc.wire.dht.records import Record


@frozen
class Held:
    """A record and the host group it came from; empty if that host has no quota."""

    record: Record
    group: bytes


class RecordStore:
    """Records by key and publisher."""

    def __init__(self, own: PeerId, policy: HostPolicy) -> None:
        """Nothing is held at first."""
        self._own = own
        self._policy = policy
        self._keys: dict[Hash32, dict[bytes, Held]] = {}
        self._by_distance: list[tuple[int, Hash32]] = []
        self._publishers: Counter[bytes] = Counter()
        self._groups: Counter[bytes] = Counter()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def under(self, key: Hash32, now_ms: int) -> list[Record]:
        """What is held under a key and has not expired."""
        held = self._keys.get(key, {}).values()
        return [one.record for one in held if one.record.is_current(now_ms)]

    def hold(self, record: Record, host: Host, now_ms: int) -> Verdict:
        """Take in a record that was verified and came from its publisher at `host`."""
        if not record.is_current(now_ms):
            return Verdict.NOT_CURRENT
        claim = record.claim
        group = self._policy.quota_group(host)
        known = self._keys.get(claim.key, {}).get(claim.publisher)
        if known is not None:
            if known.record.claim == claim:
                return Verdict.HELD
            if not record.supersedes(known.record):
                return Verdict.SUPERSEDED
            if group != known.group and self._is_full_for(group):
                return Verdict.NO_ROOM
            self._drop(claim.key, claim.publisher)
        elif not self._make_room(record, group):
            return Verdict.NO_ROOM
        self._put(Held(record, group))
        return Verdict.HELD

    def expire(self, now_ms: int) -> None:
        """Forget what has expired."""
        for record in [one.record for held in self._keys.values() for one in held.values()]:
            if not record.is_current(now_ms):
                self._drop(record.claim.key, record.claim.publisher)

    def _is_full_for(self, group: bytes) -> bool:
        return bool(group) and self._groups[group] >= RECORDS_PER_HOST_MAX

    def _make_room(self, record: Record, group: bytes) -> bool:
        claim = record.claim
        if self._publishers[claim.publisher] >= RECORDS_PER_PUBLISHER_MAX or self._is_full_for(group):
            return False
        under = self._keys.get(claim.key, {})
        if len(under) >= RECORDS_PER_KEY_MAX:
            return self._make_room_under(claim.key, group)
        return self._size < RECORDS_MAX or self._make_room_beyond(claim.key)

    def _make_room_under(self, key: Hash32, group: bytes) -> bool:
        under = self._keys[key]
        groups = Counter(held.group for held in under.values())
        crowded, count = groups.most_common(1)[0]
        if count <= groups[group] + 1:
            return False
        rivals = [publisher for publisher, held in under.items() if held.group == crowded]
        self._drop(key, min(rivals, key=lambda publisher: under[publisher].record.claim.expiry_seconds))
        return True

    def _make_room_beyond(self, key: Hash32) -> bool:
        farthest, loser = self._by_distance[-1]
        if distance(self._own, key) >= farthest:
            return False
        self._drop(loser, next(iter(self._keys[loser])))
        return True

    def _put(self, held: Held) -> None:
        claim = held.record.claim
        under = self._keys.get(claim.key)
        if under is None:
            under = self._keys[claim.key] = {}
            insort(self._by_distance, (distance(self._own, claim.key), claim.key))
        under[claim.publisher] = held
        self._size += 1
        self._publishers[claim.publisher] += 1
        self._groups[held.group] += 1

    def _drop(self, key: Hash32, publisher: bytes) -> None:
        under = self._keys[key]
        held = under.pop(publisher)
        self._size -= 1
        if not under:
            del self._keys[key]
            del self._by_distance[bisect_left(self._by_distance, (distance(self._own, key), key))]
        for counter, name in ((self._publishers, publisher), (self._groups, held.group)):
            counter[name] -= 1
            if not counter[name]:
                del counter[name]
