"""The suite can fail: lives in which one rule is broken by hand are found by the check of that rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coc.consensus import engine
from coc.primitives.frozen import replace
from coc.primitives.types import Hash32
from tests.consensus.conformance.checks import (
    check_final_rises,
    check_only_valid_is_decided,
    check_records_first,
    check_repeatable,
    check_signed_once,
    is_signing,
)
from tests.consensus.conformance.test_every_engine import BY_NAME, lives_of
from tests.consensus.conformance.transcripts import Life, Subject

OTHER_BLOCK = Hash32(b"\xcc" * 32)


@pytest.fixture(params=list(BY_NAME))
def subject(request: pytest.FixtureRequest) -> Subject:
    return BY_NAME[request.param]


def spoiled(lives: list[Life], spoil: Callable[[Any, list[Any]], list[Any]]) -> list[Life]:
    """The lives, with the effects of each step put through a fault."""
    return [
        Life(
            life.who,
            life.make,
            life.records,
            [(now_ms, event, spoil(event, effects)) for now_ms, event, effects in life.steps],
        )
        for life in lives
    ]


def without(lives: list[Life], is_dropped: Callable[[Any], bool]) -> list[Life]:
    """The lives as if some inputs had never come."""
    return [
        Life(life.who, life.make, (), [step for step in life.steps if not is_dropped(step[1])])
        for life in lives
    ]


def test_an_effect_that_a_machine_does_not_repeat_is_found(subject: Subject) -> None:
    lives = spoiled(lives_of(subject.name), lambda _, effects: effects[1:])
    with pytest.raises(AssertionError):
        check_repeatable(subject, lives)


def test_a_signature_before_its_record_is_found(subject: Subject) -> None:
    lives = without(lives_of(subject.name), lambda event: isinstance(event, engine.Persisted))
    if subject.has_records:
        signs = engine.Sign(
            next(
                each.request for life in lives_of(subject.name) for each in life.effects() if is_signing(each)
            )
        )
        lives = spoiled(lives, lambda _, effects: [signs, *effects])
    else:
        lives = spoiled(lives, lambda _, effects: [*effects, "sent before it was decided"])
    with pytest.raises(AssertionError):
        check_records_first(subject, lives)


def test_a_second_signature_at_a_place_is_found(subject: Subject) -> None:
    def twice(_: Any, effects: list[Any]) -> list[Any]:
        asked = [each for each in effects if is_signing(each)]
        return [
            *effects,
            *(replace(each, request=replace(each.request, block=OTHER_BLOCK)) for each in asked),
        ]

    with pytest.raises(AssertionError):
        check_signed_once(subject, spoiled(lives_of(subject.name), twice))


def test_a_decision_on_a_block_that_nobody_executed_is_found(subject: Subject) -> None:
    lives = without(lives_of(subject.name), lambda event: subject.found_valid(event) is not None)
    decisions = [each for life in lives_of(subject.name) for each in life.effects() if subject.decided(each)]
    with pytest.raises(AssertionError):
        check_only_valid_is_decided(subject, spoiled(lives, lambda _, effects: [*effects, decisions[0]]))


def test_a_final_block_that_is_taken_back_is_found(subject: Subject) -> None:
    lives = lives_of(subject.name)
    with pytest.raises(AssertionError):
        check_final_rises(subject, [*lives, *lives])
