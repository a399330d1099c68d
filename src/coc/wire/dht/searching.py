"""Lookups: started, fed, ended; how many run at a time, and what follows from each (DHT-9 to DHT-14)."""

from __future__ import annotations

from collections.abc import Sequence

from coc.primitives.limits_dht import (
    BUCKET_ENTRIES_MAX,
    LOOKUP_MS_MAX,
    LOOKUPS_MAX,
    LOOKUPS_WAITING_MAX,
    PATH_ASKS_MAX,
)
from coc.primitives.types import Millis, PeerId
from coc.wire.dht import chores
from coc.wire.dht.announcing import store_at
from coc.wire.dht.asking import ask
from coc.wire.dht.effects import Effect, Found, LookedUp, Refused, SetTimer
from coc.wire.dht.hosts import Contact
from coc.wire.dht.inputs import Timer, TimerKind
from coc.wire.dht.lookup import Goal, Lookup, Search
from coc.wire.dht.messages import FindNode, FindValue, Question
from coc.wire.dht.records import Record
from coc.wire.dht.state import Core, Errand, Failure, Purpose


def begin(core: Core, now_ms: Millis, search: Search) -> list[Effect]:
    """The node wants something: now, or when its turn comes, unless too many wait."""
    if len(core.searches.waiting) >= LOOKUPS_WAITING_MAX:
        return [Refused(search.ticket)]
    core.searches.waiting.append(search)
    return pump(core, now_ms)


def pump(core: Core, now_ms: Millis) -> list[Effect]:
    """Start what waits, as long as there is room; chores leave half of it to the node."""
    effects: list[Effect] = []
    while (search := _take_waiting(core)) is not None:
        effects += _start(core, now_ms, search)
    return effects


def query_answered(
    core: Core, now_ms: Millis, number: int, peer: PeerId, contacts: Sequence[Contact]
) -> list[Effect]:
    """A peer named nodes."""
    lookup = core.searches.active.get(number)
    if lookup is None:
        return []
    lookup.answered(peer, contacts)
    return [*_advance(core, now_ms, number, lookup), *pump(core, now_ms)]


def values_found(core: Core, number: int, peer: PeerId, records: Sequence[Record]) -> None:
    """A peer holds records, all verified and current."""
    lookup = core.searches.active.get(number)
    if lookup is not None:
        lookup.found(peer, records)


def query_failed(core: Core, now_ms: Millis, number: int, peer: PeerId, failure: Failure) -> list[Effect]:
    """A peer gave no answer."""
    lookup = core.searches.active.get(number)
    if lookup is None:
        return []
    lookup.failed(peer, is_unreachable=failure is Failure.UNREACHABLE)
    return [*_advance(core, now_ms, number, lookup), *pump(core, now_ms)]


def end(core: Core, now_ms: Millis, number: int) -> list[Effect]:
    """A lookup's time is over: what it has found counts."""
    lookup = core.searches.active.get(number)
    if lookup is None:
        return []
    return [*_finish(core, now_ms, number, lookup), *pump(core, now_ms)]


def _take_waiting(core: Core) -> Search | None:
    searches = core.searches
    if len(searches.active) >= LOOKUPS_MAX:
        return None
    if searches.waiting:
        return searches.waiting.popleft()
    running = sum(lookup.search.goal.is_chore for lookup in searches.active.values())
    if not searches.chores or running >= LOOKUPS_MAX // 2:
        return None
    search = next(iter(searches.chores))
    del searches.chores[search]
    return search


def _start(core: Core, now_ms: Millis, search: Search) -> list[Effect]:
    number = core.number()
    lookup = Lookup(search, core.table, _seeds(core, search))
    core.searches.active[number] = lookup
    if search.goal is not Goal.JOIN:
        core.table.note_lookup(search.target, now_ms)
    deadline = SetTimer(Timer(TimerKind.LOOKUP, number), Millis(now_ms + LOOKUP_MS_MAX))
    return [deadline, *_advance(core, now_ms, number, lookup)]


def _seeds(core: Core, search: Search) -> list[list[Contact]]:
    """Where the paths begin: one with the nearest known, one anywhere else; a small table is shared out.

    Whoever has settled around a target is met by the first path only (DHT-11).
    """
    near = core.table.closest(search.target)
    far = core.table.spread(core.dice, BUCKET_ENTRIES_MAX, near)
    return [near, far] if len(far) >= PATH_ASKS_MAX else [near[::2], near[1::2] + far]


def _advance(core: Core, now_ms: Millis, number: int, lookup: Lookup) -> list[Effect]:
    effects: list[Effect] = []
    errand = Errand(Purpose.QUERY, number, _question(lookup.search))
    while (contact := lookup.next_contact()) is not None:
        asked = ask(core, now_ms, contact, errand)
        if asked is None:
            lookup.failed(contact.id, is_unreachable=True)
        else:
            effects += asked
    return [*effects, *_finish(core, now_ms, number, lookup)] if lookup.is_done else effects


def _finish(core: Core, now_ms: Millis, number: int, lookup: Lookup) -> list[Effect]:
    del core.searches.active[number]
    search, contacts = lookup.search, lookup.nearest()
    match search.goal:
        case Goal.LOOK_UP:
            return [LookedUp(search.ticket, contacts)]
        case Goal.FIND_VALUE:
            held = core.records_under(search.target, now_ms)
            return [Found(search.ticket, lookup.newest(held))]
        case Goal.ANNOUNCE:
            return store_at(core, now_ms, search.target, contacts)
        case Goal.JOIN:
            core.is_joined = bool(contacts)
            chores.refresh(core, now_ms)
            return chores.announce(core, now_ms)
        case Goal.REFRESH:
            return []


def _question(search: Search) -> Question:
    if search.goal is Goal.FIND_VALUE:
        return FindValue(search.target)
    return FindNode(search.target)
