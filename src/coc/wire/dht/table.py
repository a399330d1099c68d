"""The routing table: 256 buckets of at most K nodes that have proved who they are (DHT-3 to DHT-8).

A bucket keeps its entries in the order in which they were last heard, so its first one is the candidate for
eviction. Old entries that answer stay: nodes that have been up for long stay up for long, and nobody can
flood them away. A newcomer to a full bucket waits as a spare. Entries and spares are counted by host group,
so no single machine fills a bucket or the table.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from coc.primitives.limits_dht import (
    BUCKET_ENTRIES_MAX,
    BUCKET_SPARES_MAX,
    ENTRY_FAILURES_MAX,
    HOST_BUCKET_ENTRIES_MAX,
    HOST_TABLE_ENTRIES_MAX,
)
from coc.primitives.types import PeerId
from coc.wire.dht.dice import Dice
from coc.wire.dht.distance import BUCKETS, bucket_of
from coc.wire.dht.hosts import Contact, Host, HostPolicy, group_of

NEVER_MS = -(10**15)


class Place(enum.Enum):
    """What became of a node that was to enter."""

    ENTERED = "entered"
    KNOWN = "known"
    SPARE = "spare"
    REFUSED = "refused"


@dataclass(slots=True)
class Entry:
    """A node in a bucket, when it was last heard, and how many requests in a row it left unanswered."""

    contact: Contact
    number: int
    seen_ms: int
    failures: int = 0


@dataclass(slots=True)
class Bucket:
    """Nodes at one order of distance, least recently heard first, and those that wait for a place."""

    entries: dict[PeerId, Entry] = field(default_factory=dict)
    spares: dict[PeerId, Contact] = field(default_factory=dict)
    groups: dict[bytes, int] = field(default_factory=dict)
    """How many entries each host group has here."""
    refreshed_ms: int = NEVER_MS

    @property
    def oldest(self) -> Entry | None:
        """The entry that has not been heard for the longest time."""
        return next(iter(self.entries.values()), None)


class Table:
    """Who is known, by distance from us."""

    def __init__(self, own: PeerId, policy: HostPolicy) -> None:
        """Nobody is known at first."""
        self.own = own
        self.buckets = tuple(Bucket() for _ in range(BUCKETS))
        self._policy = policy
        self._groups: dict[bytes, int] = {}
        self._filled: list[int] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Contact]:
        return (entry.contact for index in self._filled for entry in self.buckets[index].entries.values())

    def bucket(self, peer: bytes) -> Bucket:
        """Where an id other than our own belongs."""
        return self.buckets[bucket_of(self.own, peer)]

    def find(self, peer: PeerId) -> Entry | None:
        """The entry of a node."""
        return None if peer == self.own else self.bucket(peer).entries.get(peer)

    def judge(self, contact: Contact) -> Contact | None:
        """Whether somebody else's word about a node is worth a dial; what we know goes before it (DHT-9)."""
        entry = self.find(contact.id)
        if entry is not None:
            return entry.contact
        return contact if contact.id != self.own and self._policy.takes(contact.host) else None

    def quota_group(self, host: Host) -> bytes:
        """What shares one quota with this host; empty if nothing does."""
        return self._policy.quota_group(host)

    def admit(self, contact: Contact, now_ms: int) -> Place:
        """Enter a node whose handshake was authenticated, if there is a place (DHT-4, DHT-6)."""
        if contact.id == self.own:
            return Place.REFUSED
        bucket = self.bucket(contact.id)
        entry = bucket.entries.get(contact.id)
        if entry is not None:
            if entry.contact == contact:
                self.heard(contact.id, now_ms)
                return Place.KNOWN
            self._drop(bucket, contact.id)
        bucket.spares.pop(contact.id, None)
        if not self._policy.takes(contact.host) or not self._has_quota(bucket, contact.host):
            return Place.REFUSED
        if len(bucket.entries) < BUCKET_ENTRIES_MAX:
            self._enter(bucket, contact, now_ms)
            return Place.ENTERED
        return self._wait(bucket, contact)

    def heard(self, peer: PeerId, now_ms: int) -> None:
        """A node said something: it lives, and is the most recently heard of its bucket."""
        bucket = self.bucket(peer)
        entry = bucket.entries.pop(peer, None)
        if entry is not None:
            entry.seen_ms, entry.failures = now_ms, 0
            bucket.entries[peer] = entry

    def failed(self, peer: PeerId, now_ms: int) -> Contact | None:
        """A node left a request unanswered; it leaves if a spare waits or it did so before (DHT-8)."""
        entry = self.find(peer)
        if entry is None:
            return None
        entry.failures += 1
        is_lost = entry.failures >= ENTRY_FAILURES_MAX or bool(self.bucket(peer).spares)
        return self.remove(peer, now_ms) if is_lost else None

    def remove(self, peer: PeerId, now_ms: int) -> Contact | None:
        """Forget a node; the youngest spare that may enter takes its place and is returned (DHT-7)."""
        if peer == self.own:
            return None
        bucket = self.bucket(peer)
        bucket.spares.pop(peer, None)
        if peer not in bucket.entries:
            return None
        self._drop(bucket, peer)
        for spare in reversed(bucket.spares.values()):
            if self._has_quota(bucket, spare.host):
                del bucket.spares[spare.id]
                self._enter(bucket, spare, now_ms)
                return spare
        return None

    def named_to(self, asker: PeerId, target: bytes) -> tuple[Contact, ...]:
        """The K nearest nodes that a peer is told of: not itself, and none that fails to answer (DHT-5)."""
        found = self._nearest(target, BUCKET_ENTRIES_MAX + 1, is_answering=True)
        return tuple([one for one in found if one.id != asker][:BUCKET_ENTRIES_MAX])

    def closest(self, target: bytes) -> list[Contact]:
        """The K nearest nodes to begin a lookup with, nearest first."""
        return self._nearest(target, BUCKET_ENTRIES_MAX, is_answering=False)

    def spread(self, dice: Dice, count: int, without: list[Contact]) -> list[Contact]:
        """Random known nodes from everywhere, a bucket's turn at a time (DHT-11)."""
        taken = {contact.id for contact in without}
        piles = [
            dice.sample([e.contact for e in bucket.entries.values() if e.contact.id not in taken], count)
            for bucket in (self.buckets[index] for index in self._filled)
        ]
        found: list[Contact] = []
        for turn in range(count):
            found += [pile[turn] for pile in piles if turn < len(pile)]
        return found[:count]

    def note_lookup(self, target: bytes, now_ms: int) -> None:
        """Somebody looked for an id in the range of a bucket: that refreshes it (DHT-14)."""
        if target != self.own:
            self.bucket(target).refreshed_ms = now_ms

    def nearest_bucket(self) -> int:
        """The bucket of our nearest neighbour; 256 if nobody is known."""
        return self._filled[0] if self._filled else BUCKETS

    def _nearest(self, target: bytes, count: int, *, is_answering: bool) -> list[Contact]:
        """The nodes nearest to a target, nearest first.

        Buckets come in groups of rising distance: the target's own, all nearer to us, then each farther one.
        """
        home = bucket_of(self.own, target)
        split = bisect_left(self._filled, home)
        nearer, farther = self._filled[:split], self._filled[split:]
        groups = [[index] for index in farther]
        groups.insert(1 if farther and farther[0] == home else 0, nearer)
        at = int.from_bytes(target, "big")
        found: list[Contact] = []
        for group in groups:
            members = [
                (entry.number ^ at, entry.contact)
                for index in group
                for entry in self.buckets[index].entries.values()
                if not (is_answering and entry.failures)
            ]
            members.sort(key=_nearness)
            found += [contact for _, contact in members]
            if len(found) >= count:
                break
        return found[:count]

    def _enter(self, bucket: Bucket, contact: Contact, now_ms: int) -> None:
        if not bucket.entries:
            insort(self._filled, bucket_of(self.own, contact.id))
        bucket.entries[contact.id] = Entry(contact, int.from_bytes(contact.id, "big"), now_ms)
        self._size += 1
        group = group_of(contact.host)
        for counts in (bucket.groups, self._groups):
            counts[group] = counts.get(group, 0) + 1

    def _drop(self, bucket: Bucket, peer: PeerId) -> None:
        group = group_of(bucket.entries.pop(peer).contact.host)
        self._size -= 1
        if not bucket.entries:
            self._filled.remove(bucket_of(self.own, peer))
        for counts in (bucket.groups, self._groups):
            counts[group] -= 1
            if not counts[group]:
                del counts[group]

    def _has_quota(self, bucket: Bucket, host: Host) -> bool:
        group = self._policy.quota_group(host)
        return not group or (
            bucket.groups.get(group, 0) < HOST_BUCKET_ENTRIES_MAX
            and self._groups.get(group, 0) < HOST_TABLE_ENTRIES_MAX
        )

    def _wait(self, bucket: Bucket, contact: Contact) -> Place:
        group = self._policy.quota_group(contact.host)
        rivals = [one for one in bucket.spares.values() if self._policy.quota_group(one.host) == group]
        if group and len(rivals) >= HOST_BUCKET_ENTRIES_MAX:
            del bucket.spares[rivals[0].id]
        elif len(bucket.spares) >= BUCKET_SPARES_MAX:
            del bucket.spares[next(iter(bucket.spares))]
        bucket.spares[contact.id] = contact
        return Place.SPARE


def _nearness(member: tuple[int, Contact]) -> int:
    return member[0]
