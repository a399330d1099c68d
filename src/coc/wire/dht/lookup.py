"""One search for the nodes nearest to a target, on two paths that share no node (DHT-9 to DHT-12).

A path is what its own answers told it. It asks the nearest K that it knows of, at most alpha at a time, until
all of them have answered or failed; a node asked on one path is never asked on the other. Whoever fills one
path with lies leaves the other as it was, and the result is taken from both. The lookup itself sends nothing:
it says whom to ask next and takes in what came of it.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from coc.primitives.frozen import frozen
from coc.primitives.limits_dht import (
    BUCKET_ENTRIES_MAX,
    CANDIDATE_ADDRESSES_MAX,
    FOUND_RECORDS_MAX,
    PATH_ASKS_MAX,
    PATH_CANDIDATES_MAX,
    PATH_HOST_CANDIDATES_MAX,
    PATH_QUERIES_MAX,
    PATH_VALUE_ANSWERS_MAX,
)
from coc.primitives.types import Hash32, PeerId
from coc.wire.dht.distance import distance
from coc.wire.dht.hosts import Contact, Host
from coc.wire.dht.records import Record


class Screen(Protocol):
    """What a lookup needs to know about a node that was merely named."""

    def judge(self, contact: Contact) -> Contact | None:
        """The address to use for it, or None if it must not be dialled."""

    def quota_group(self, host: Host) -> bytes:
        """What shares one quota with this host; empty if nothing does."""


class Goal(enum.Enum):
    """What a lookup is for."""

    LOOK_UP = "look up"
    FIND_VALUE = "find value"
    REFRESH = "refresh"
    JOIN = "join"
    ANNOUNCE = "announce"

    @property
    def is_chore(self) -> bool:
        """Whether it is our own upkeep, which waits for what the node asks for."""
        return self not in {Goal.LOOK_UP, Goal.FIND_VALUE}


@frozen
class Search:
    """What is looked for and why; `ticket` is the node's own number for it, 0 for a chore."""

    goal: Goal
    target: Hash32
    ticket: int = 0


class Standing(enum.Enum):
    """How far a candidate has come."""

    KNOWN = "known"
    ASKED = "asked"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(slots=True)
class Candidate:
    """A node that was named, the addresses given for it, and the path that asked it."""

    rank: tuple[int, PeerId]
    addresses: list[Contact]
    tried: int = 0
    path: int = 0
    standing: Standing = Standing.KNOWN

    @property
    def contact(self) -> Contact:
        """The address to try."""
        return self.addresses[self.tried]


@dataclass(slots=True)
class Path:
    """What one path knows, nearest first, and what it has under way."""

    order: list[tuple[int, PeerId]] = field(default_factory=list)
    groups: dict[PeerId, bytes] = field(default_factory=dict)
    crowd: Counter[bytes] = field(default_factory=Counter)
    asked: int = 0
    queries: int = 0
    value_answers: int = 0

    @property
    def is_starved(self) -> bool:
        """Whether it began with nobody to ask."""
        return not self.order and not self.queries

    def enter(self, rank: tuple[int, PeerId], group: bytes) -> None:
        """Learn of a candidate, if its host group is not named too often; the farthest makes room."""
        if rank[1] in self.groups or (group and self.crowd[group] >= PATH_HOST_CANDIDATES_MAX):
            return
        insort(self.order, rank)
        self.groups[rank[1]] = group
        self.crowd[group] += 1
        if len(self.order) > PATH_CANDIDATES_MAX:
            self.leave(self.order[-1])

    def leave(self, rank: tuple[int, PeerId]) -> None:
        """Forget a candidate."""
        group = self.groups.pop(rank[1], None)
        if group is not None:
            self.crowd[group] -= 1
            del self.order[bisect_left(self.order, rank)]


class Lookup:
    """A search under way."""

    def __init__(self, search: Search, screen: Screen, seeds: Sequence[list[Contact]]) -> None:
        """One path for each list of contacts to begin with; `screen` judges every node that is named."""
        self.search = search
        self._records: dict[bytes, Record] = {}
        self._screen = screen
        self._candidates: dict[PeerId, Candidate] = {}
        self._paths = tuple(Path() for _ in seeds)
        for path, contacts in zip(self._paths, seeds, strict=True):
            self._hear(path, contacts)

    def next_contact(self) -> Contact | None:
        """Whom to ask now; each call claims one candidate for the path that has least under way."""
        for path in sorted(self._paths, key=_busyness):
            candidate = self._next_on(path)
            if candidate is not None:
                candidate.standing = Standing.ASKED
                candidate.path = self._paths.index(path)
                path.asked += 1
                path.queries += 1
                return candidate.contact
        return None

    @property
    def is_done(self) -> bool:
        """Whether nobody is left to ask or to wait for."""
        return all(not path.asked and self._next_on(path) is None for path in self._paths)

    def answered(self, peer: PeerId, contacts: Sequence[Contact]) -> None:
        """A candidate answered and named others; paths that began with nobody get their share."""
        candidate = self._under_way(peer)
        if candidate is None:
            return
        candidate.standing = Standing.ANSWERED
        hearing = [self._paths[candidate.path], *(path for path in self._paths if path.is_starved)]
        for turn, path in enumerate(hearing):
            self._hear(path, contacts[turn :: len(hearing)])

    def failed(self, peer: PeerId, *, is_unreachable: bool) -> None:
        """A candidate gave no answer; if nobody was at its address, the next one is tried."""
        candidate = self._under_way(peer)
        if candidate is None:
            return
        if is_unreachable and candidate.tried + 1 < len(candidate.addresses):
            candidate.tried += 1
            candidate.standing = Standing.KNOWN
            return
        candidate.standing = Standing.FAILED
        for path in self._paths:
            path.leave(candidate.rank)

    def found(self, peer: PeerId, records: Sequence[Record]) -> None:
        """A candidate holds these, all verified; the newest of each publisher counts (DHT-18, DHT-25)."""
        candidate = self._candidates.get(peer)
        if candidate is None or not records:
            return
        self._paths[candidate.path].value_answers += 1
        self._merge(records)

    def newest(self, held: Sequence[Record]) -> tuple[Record, ...]:
        """What was found and what we hold ourselves, one record a publisher."""
        self._merge(held)
        return tuple(self._records.values())

    def nearest(self) -> tuple[Contact, ...]:
        """The K nearest nodes that answered, nearest first."""
        answered = [one for one in self._candidates.values() if one.standing is Standing.ANSWERED]
        answered.sort(key=_rank)
        return tuple(one.contact for one in answered[:BUCKET_ENTRIES_MAX])

    def _merge(self, records: Sequence[Record]) -> None:
        for record in records:
            known = self._records.get(record.claim.publisher)
            is_news = len(self._records) < FOUND_RECORDS_MAX if known is None else record.supersedes(known)
            if is_news:
                self._records[record.claim.publisher] = record

    def _under_way(self, peer: PeerId) -> Candidate | None:
        """The candidate that was asked and is asked no more."""
        candidate = self._candidates.get(peer)
        if candidate is None or candidate.standing is not Standing.ASKED:
            return None
        self._paths[candidate.path].asked -= 1
        return candidate

    def _next_on(self, path: Path) -> Candidate | None:
        is_over = path.value_answers >= PATH_VALUE_ANSWERS_MAX
        if is_over or path.asked >= PATH_ASKS_MAX or path.queries >= PATH_QUERIES_MAX:
            return None
        for _, peer in path.order[:BUCKET_ENTRIES_MAX]:
            if self._candidates[peer].standing is Standing.KNOWN:
                return self._candidates[peer]
        return None

    def _hear(self, path: Path, contacts: Sequence[Contact]) -> None:
        for named in contacts:
            candidate = self._candidates.get(named.id)
            if candidate is not None and named.id in path.groups and named in candidate.addresses:
                continue
            contact = self._screen.judge(named)
            if contact is None:
                continue
            if candidate is None:
                rank = (distance(self.search.target, contact.id), contact.id)
                candidate = self._candidates[contact.id] = Candidate(rank, [contact])
            elif not _takes_address(candidate, contact):
                continue
            path.enter(candidate.rank, self._screen.quota_group(contact.host))


def _takes_address(candidate: Candidate, contact: Contact) -> bool:
    """Note another address; false if the candidate failed and this gives it no new chance."""
    if contact not in candidate.addresses and len(candidate.addresses) < CANDIDATE_ADDRESSES_MAX:
        candidate.addresses.append(contact)
        if candidate.standing is Standing.FAILED and candidate.tried + 1 < len(candidate.addresses):
            candidate.tried += 1
            candidate.standing = Standing.KNOWN
    return candidate.standing is not Standing.FAILED


def _busyness(path: Path) -> int:
    return path.asked


def _rank(candidate: Candidate) -> tuple[int, PeerId]:
    return candidate.rank
