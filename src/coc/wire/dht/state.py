"""What the handlers share: the table, the records, who is connected, and everything under way."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field

from coc.primitives.frozen import frozen
from coc.primitives.limits_dht import BARRED_MS_MAX, BARRED_PEERS_MAX
from coc.primitives.types import Hash32, PeerId
from coc.wire.dht.budget import Budget
from coc.wire.dht.dice import Dice
from coc.wire.dht.hosts import Contact, Host
from coc.wire.dht.lookup import Lookup, Search
from coc.wire.dht.messages import Question
from coc.wire.dht.records import Record
from coc.wire.dht.rules import Setup
from coc.wire.dht.store import RecordStore
from coc.wire.dht.table import NEVER_MS, Table


class Purpose(enum.Enum):
    """What a request is for."""

    CHECK = "check"
    QUERY = "query"
    STORE = "store"


class Failure(enum.Enum):
    """Why a request brought no answer."""

    SILENT = "silent"
    UNREACHABLE = "unreachable"
    GONE = "gone"


@frozen
class Errand:
    """A question for a peer; `number` is the bucket checked, the lookup, or the publication."""

    purpose: Purpose
    number: int
    question: Question
    is_second_try: bool = False


@frozen
class Request:
    """An errand that was sent."""

    contact: Contact
    errand: Errand


@dataclass(slots=True)
class Dialling:
    """A dial under way, and what is to be sent once it succeeds."""

    contact: Contact
    errands: list[Errand]


@dataclass(slots=True)
class Peer:
    """A connected peer."""

    public_key: bytes
    host: Host
    budget: Budget
    asked: int = 0
    dropped: int = 0


@dataclass(slots=True)
class Publication:
    """A record of ours: when it is announced next, and the announcement under way."""

    record: Record
    number: int
    due_ms: int = NEVER_MS
    pending: int = 0
    holders: int = 0


@dataclass(slots=True)
class Calls:
    """Requests and dials under way, and whom not to call."""

    requests: dict[int, Request] = field(default_factory=dict)
    dials: dict[int, Dialling] = field(default_factory=dict)
    dialled: dict[PeerId, int] = field(default_factory=dict)
    unreachable: dict[Contact, int] = field(default_factory=dict)
    barred: dict[PeerId, int] = field(default_factory=dict)

    def bar(self, peer: PeerId, now_ms: int) -> None:
        """Have nothing to do with a peer for a while; the one barred first makes room."""
        self.barred.pop(peer, None)
        if len(self.barred) >= BARRED_PEERS_MAX:
            del self.barred[next(iter(self.barred))]
        self.barred[peer] = now_ms + BARRED_MS_MAX

    def is_barred(self, peer: PeerId, now_ms: int) -> bool:
        """Whether a peer lied not long ago."""
        return self.barred.get(peer, now_ms) > now_ms


@dataclass(slots=True)
class Searches:
    """Lookups under way and those that wait: the node's own before our chores."""

    active: dict[int, Lookup] = field(default_factory=dict)
    waiting: deque[Search] = field(default_factory=deque)
    chores: dict[Search, None] = field(default_factory=dict)


@dataclass(slots=True)
class Core:
    """Everything the handlers share."""

    setup: Setup
    table: Table
    store: RecordStore
    dice: Dice
    calls: Calls = field(default_factory=Calls)
    searches: Searches = field(default_factory=Searches)
    peers: dict[PeerId, Peer] = field(default_factory=dict)
    publications: dict[Hash32, Publication] = field(default_factory=dict)
    checking: set[int] = field(default_factory=set)
    """Buckets whose oldest entry is being asked whether it lives."""
    is_started: bool = False
    is_joined: bool = False
    join_pause_ms: int = 0
    look_pause_ms: int = 0
    """Until we look for ourselves again while few are known."""
    own_refreshed_ms: int = NEVER_MS
    _numbers: int = 0

    @classmethod
    def of(cls, setup: Setup) -> Core:
        """A node that knows nobody."""
        own = setup.own
        dice = Dice(setup.randomness)
        return cls(setup, Table(own, setup.hosts), RecordStore(own, setup.hosts), dice)

    def records_under(self, key: Hash32, now_ms: int) -> list[Record]:
        """The records under a key that we hold or announce, and that have not expired."""
        own = self.publications.get(key)
        announced = [own.record] if own is not None and own.record.is_current(now_ms) else []
        return self.store.under(key, now_ms) + announced

    def number(self) -> int:
        """A number that was not given before: for lookups, dials and publications."""
        self._numbers += 1
        return self._numbers
