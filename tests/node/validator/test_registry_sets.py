"""The registry is asked again only where its answers can differ from those that are known."""

from __future__ import annotations

from typing import Any

from coc._native import Chain
from coc.contracts.registry_calls import period_of
from coc.node.validator.registry_sets import Answers, RegistrySets
from coc.primitives.types import Hash32, Height
from coc.sim.full.network import REGISTRY
from tests.node.validator.forge import FILE, Forge

PERIOD = REGISTRY.period_blocks


class CountingChain:
    """A chain that counts how often its EVM is asked."""

    def __init__(self, chain: Chain) -> None:
        self.calls = 0
        self.header = chain.header
        self.account = chain.account
        self._chain = chain

    def call(self, *asked: Any) -> Any:
        self.calls += 1
        return self._chain.call(*asked)


def blocks_of(forge: Forge, first: int, last: int) -> list[Hash32]:
    found = [forge.chain.canonical_hash(number) for number in range(first, last + 1)]
    return [Hash32(each) for each in found if each is not None]


def test_blocks_of_a_period_that_leave_the_registry_as_it_is_ask_once() -> None:
    forge = Forge()
    forge.extend(PERIOD + 4)
    chain = CountingChain(forge.chain)
    sets = RegistrySets(chain, PERIOD)
    answers = {sets.validators(block, Height(PERIOD + 4)) for block in blocks_of(forge, PERIOD, PERIOD + 4)}
    assert answers == {FILE.rules.validators}
    assert chain.calls == 1


def test_the_next_period_is_asked_anew_though_the_question_is_the_same() -> None:
    forge = Forge()
    forge.extend(PERIOD + 1)
    chain = CountingChain(forge.chain)
    sets = RegistrySets(chain, PERIOD)
    before, after = blocks_of(forge, PERIOD - 1, PERIOD)
    assert period_of(Height(PERIOD - 1), PERIOD) != period_of(Height(PERIOD), PERIOD)
    assert sets.skipped(before) == sets.skipped(after) == frozenset()
    assert chain.calls == 2


def test_chains_that_share_their_answers_ask_once_together() -> None:
    answers = Answers()
    asked = []
    for _ in range(2):
        forge = Forge()
        forge.extend(1)
        chain = CountingChain(forge.chain)
        sets = RegistrySets(chain, PERIOD, answers)
        assert sets.validators(Hash32(forge.chain.head.hash), Height(2)) == FILE.rules.validators
        asked.append(chain.calls)
    assert asked == [1, 0]
