"""Votes tip a scale when they bring about a quorum, or put their author into a later round; others do not."""

from __future__ import annotations

import pytest

from coc.consensus.bft.ledger import VoteLedger
from coc.consensus.bft.power import Electorate
from coc.primitives.seals import Step
from coc.primitives.types import Address, Hash32, Height, Signature
from coc.primitives.validators import Validator, ValidatorSet
from coc.primitives.votes import Vote

FOUR = tuple(
    Validator(Address(bytes([index]) * 20), bytes(64), bytes(64), 1, Address(bytes(20))) for index in range(4)
)
BLOCK = Hash32(b"\x01" * 32)
OTHER = Hash32(b"\x02" * 32)


@pytest.fixture
def ledger() -> VoteLedger:
    return VoteLedger(Electorate.of(ValidatorSet(FOUR)))


def count(ledger: VoteLedger, index: int, block: Hash32 | None, round_: int = 0) -> bool:
    """Count a prevote; whether it tipped a scale."""
    ledger.has_tipped = False
    ledger.add(
        index, Vote(Height(1), round_, Step.PREVOTE, block, FOUR[index].id, Signature(bytes(65))), round_
    )
    return ledger.has_tipped


def test_only_the_vote_that_makes_the_quorum_tips_it(ledger: VoteLedger) -> None:
    assert [count(ledger, index, BLOCK) for index in range(4)] == [False, False, True, False]
    assert ledger.block_with_quorum(0, Step.PREVOTE) == BLOCK


def test_a_quorum_for_anything_and_one_for_a_value_tip_one_after_the_other(ledger: VoteLedger) -> None:
    tipped = [count(ledger, index, block) for index, block in enumerate((BLOCK, BLOCK, OTHER, BLOCK))]
    assert tipped == [False, False, True, True]


def test_whoever_is_heard_in_a_later_round_tips_it_once(ledger: VoteLedger) -> None:
    assert count(ledger, 0, None, round_=2)
    assert not count(ledger, 0, OTHER, round_=2)
    assert ledger.skip_target(0) is None, "one of four is no more than a third"
    assert count(ledger, 1, None, round_=2)
    assert ledger.skip_target(0) == 2
