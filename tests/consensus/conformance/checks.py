"""What every engine must keep, as checks of recorded lives; each raises where a life breaks its rule."""

from __future__ import annotations

from typing import Any

from tests.consensus.conformance.transcripts import Life, Subject, intents_of

OF_ONE_ALONE = {"SetTimer", "Build", "Sign", "Decide", "Fulfilled"}
"""All that an engine without records may ask for: its signature leaves with the block, or not at all."""


def is_signing(effect: Any) -> bool:
    """Whether an effect asks for a signature."""
    return type(effect).__name__ == "Sign"


def check_repeatable(subject: Subject, lives: list[Life]) -> None:
    """The same inputs bring the same effects, to the byte."""
    del subject
    for life in lives:
        machine = life.make()
        for now_ms, event, effects in life.steps:
            assert repr(machine.step(now_ms, event)) == repr(effects)


def check_records_first(subject: Subject, lives: list[Life]) -> None:
    """Nothing is signed before its intent is durable."""
    for life in lives:
        signed = [
            (index, effect.request)
            for index, (_, _, effects) in enumerate(life.steps)
            for effect in effects
            if is_signing(effect)
        ]
        if subject.has_records:
            durable = list(intents_of(life))
            assert all(
                any(when <= index and intent == request for when, intent in durable)
                for index, request in signed
            )
        else:
            assert all(type(effect).__name__ in OF_ONE_ALONE for effect in life.effects())


def check_signed_once(subject: Subject, lives: list[Life]) -> None:
    """No two things are signed at one place, in all lives of a validator together."""
    signed: dict[Any, Any] = {}
    for life in lives:
        for effect in life.effects():
            if is_signing(effect):
                place = (life.who, subject.place(effect.request))
                assert signed.setdefault(place, effect.request) == effect.request


def check_only_valid_is_decided(subject: Subject, lives: list[Life]) -> None:
    """Only what was executed and found valid is decided."""
    for life in lives:
        valid: set[Any] = set()
        for _, event, effects in life.steps:
            valid.add(subject.found_valid(event))
            assert {subject.decided(effect) for effect in effects} - {None} <= valid


def check_final_rises(subject: Subject, lives: list[Life]) -> None:
    """What is final only rises, through all lives of a validator, and does rise."""
    reached: dict[Any, int] = {}
    for life in lives:
        for height in subject.finals(life):
            assert height >= reached.get(life.who, 0)
            reached[life.who] = height
    assert max(reached.values()) >= 3


CHECKS = (
    check_repeatable,
    check_records_first,
    check_signed_once,
    check_only_valid_is_decided,
    check_final_rises,
)
