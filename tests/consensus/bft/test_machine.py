"""The dispatch knows whatever can happen."""

from __future__ import annotations

from typing import get_args

from coc.consensus.bft.inputs import Input, Started
from coc.consensus.bft.machine import HANDLERS


def test_every_input_has_a_handler() -> None:
    assert {*HANDLERS, Started} == set(get_args(Input))
    assert Started not in HANDLERS, "a machine goes on from the opening that it was built with"
