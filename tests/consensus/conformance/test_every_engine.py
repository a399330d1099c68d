"""What every engine must keep, whichever it is: one suite, run over each of them.

Whole lives of machines are recorded on simulated networks with faults, then judged and played again. An
engine that is added is added to `SUBJECTS`, and passes this.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

import pytest

from coc.consensus import engine
from coc.primitives.types import Millis
from tests.consensus.conformance.checks import CHECKS, is_signing
from tests.consensus.conformance.transcripts import SUBJECTS, Life, Subject

BY_NAME = {subject.name: subject for subject in SUBJECTS}
WALK_ITEMS_MAX = 2_000_000


@cache
def lives_of(name: str) -> list[Life]:
    return BY_NAME[name].lives()


@pytest.fixture(params=list(BY_NAME))
def subject(request: pytest.FixtureRequest) -> Subject:
    return BY_NAME[request.param]


def longest(subject: Subject) -> Life:
    return max(lives_of(subject.name), key=lambda life: len(life.steps))


def held_by(thing: object) -> int:
    """How many values a machine holds, whatever it keeps them in."""
    seen: set[int] = set()
    waiting = [thing]
    while waiting and len(seen) < WALK_ITEMS_MAX:
        each = waiting.pop()
        if id(each) in seen or callable(each) or isinstance(each, (bytes, str, int, float, type(None))):
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif hasattr(each, "__iter__"):
            waiting += list(each)
        names = [*getattr(each, "__slots__", ()), *getattr(each, "__dict__", {})]
        names += getattr(each, "__struct_fields__", ())
        waiting += [getattr(each, name) for name in names if hasattr(each, name)]
    return len(seen)


def test_the_recorded_lives_are_worth_judging(subject: Subject) -> None:
    lives = lives_of(subject.name)

    assert len(lives) >= 3
    assert any(is_signing(effect) for life in lives for effect in life.effects())
    assert any(subject.decided(effect) for life in lives for effect in life.effects())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_life_keeps_the_rule(subject: Subject, check: Callable[[Subject, list[Life]], None]) -> None:
    check(subject, lives_of(subject.name))


def test_timers_that_come_late_start_nothing(subject: Subject) -> None:
    life = longest(subject)
    fired = [event for _, event, _ in life.steps if type(event).__name__ == "TimerFired"]
    machine = life.again()
    before = [timer for timer in fired[:-1] if timer != fired[-1]]

    asked = [effect for timer in before for effect in machine.step(life.end_ms, timer)]

    assert [effect for effect in asked if isinstance(effect, subject.wishes)] == []


def test_answers_that_nobody_asked_for_change_nothing(subject: Subject) -> None:
    life = longest(subject)
    machine = life.again()

    for answer in subject.answers_to_nothing:
        assert machine.step(life.end_ms, answer) == [], answer


def test_answers_that_come_twice_change_nothing(subject: Subject) -> None:
    life = longest(subject)
    answers = [
        event
        for _, event, _ in life.steps
        if isinstance(event, (engine.Persisted, engine.SignatureMade, engine.SignatureRefused))
    ]
    machine = life.again()

    again = [effect for answer in answers[:-2] for effect in machine.step(life.end_ms, answer)]

    assert [effect for effect in again if isinstance(effect, subject.wishes)] == []


def test_a_machine_made_from_what_was_left_goes_on(subject: Subject) -> None:
    lives = lives_of(subject.name)
    lives_of_one = {life.who: [other for other in lives if other.who == life.who] for life in lives}
    later = [life for each in lives_of_one.values() for life in each[1:]]

    assert later, "nobody was started again"
    assert any(subject.decided(effect) for life in later for effect in life.effects())


def test_hostile_messages_are_reported_or_ignored_and_nothing_else(subject: Subject) -> None:
    life = longest(subject)
    machine = life.again()

    asked = [
        effect
        for message in subject.hostile(Random(5), life)
        for effect in machine.step(life.end_ms, message)
    ]

    harmless = (engine.Misbehaved,)
    others = [each for each in asked if not isinstance(each, harmless) and type(each).__name__ != "CatchUp"]
    assert others == []


def test_memory_does_not_grow_with_what_is_heard_or_with_time(subject: Subject) -> None:
    life = longest(subject)
    machine = life.make()
    half = len(life.steps) // 2
    for now_ms, event, _ in life.steps[:half]:
        machine.step(now_ms, event)
    before = held_by(machine)
    for now_ms, event, _ in life.steps[half:]:
        machine.step(now_ms, event)
    for seed in range(20):
        for message in subject.hostile(Random(seed), life):
            machine.step(Millis(life.end_ms), message)

    assert held_by(machine) <= 4 * before + 500
