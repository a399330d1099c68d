"""The tables of a node know whatever can happen to it, and whatever its engine can ask for."""

from __future__ import annotations

from typing import get_args

from coc.consensus.bft.effects import Effect as EngineEffect
from coc.node.validator.consensus_side import TRANSLATORS
from coc.node.validator.inputs import Input
from coc.node.validator.machine import HANDLERS


def test_every_input_has_a_handler() -> None:
    assert set(HANDLERS) == set(get_args(Input))


def test_every_effect_of_the_engine_is_translated() -> None:
    assert set(TRANSLATORS) == set(get_args(EngineEffect))
