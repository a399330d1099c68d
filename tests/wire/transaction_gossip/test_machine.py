"""The dispatch knows whatever can happen."""

from __future__ import annotations

from typing import get_args

from coc.wire.transaction_gossip.inputs import Input
from coc.wire.transaction_gossip.machine import HANDLERS


def test_every_input_has_a_handler() -> None:
    assert set(HANDLERS) == set(get_args(Input))
