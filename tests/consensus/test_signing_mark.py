"""The signer's mark: what lies above it is signed, the very same again too, and nothing else (BFT-40)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from coc.consensus.signing_mark import (
    BelowMark,
    Marked,
    MarkInvalid,
    SameAgain,
    decode_request,
    encode_request,
    judge,
    judge_by_slot,
)
from coc.primitives import rlp
from coc.primitives.errors import CocError
from coc.primitives.frozen import replace
from coc.primitives.seals import SignRequest, Step
from coc.primitives.types import Hash32, Height

GENESIS, BLOCK, OTHER = Hash32(b"g" * 32), Hash32(b"a" * 32), Hash32(b"b" * 32)


def request(height: int, round_: int, step: Step, block: Hash32 | None = BLOCK) -> SignRequest:
    return SignRequest(GENESIS, Height(height), round_, step, block)


RISING = [
    request(1, 0, Step.PROPOSAL),
    request(1, 0, Step.PREVOTE),
    request(1, 0, Step.PRECOMMIT),
    request(1, 1, Step.PREVOTE),
    request(2, 0, Step.PROPOSAL),
]


def test_the_first_request_of_all_is_signed() -> None:
    assert judge(None, RISING[0]) == Marked(RISING[0])


def test_places_rise_by_height_then_round_then_step() -> None:
    for lower, higher in pairwise(RISING):
        assert judge(lower, higher) == Marked(higher)
        assert isinstance(judge(higher, lower), BelowMark)


def test_the_very_same_request_is_signed_again() -> None:
    assert judge(RISING[1], replace(RISING[1])) == SameAgain(RISING[1])


def test_another_block_at_the_marks_own_place_is_refused() -> None:
    mark = request(7, 2, Step.PREVOTE)
    refused = judge(mark, request(7, 2, Step.PREVOTE, OTHER))
    assert refused == BelowMark("the mark stands at height 7, round 2, prevote")
    assert isinstance(judge(mark, request(7, 2, Step.PREVOTE, None)), BelowMark)


def test_a_proposal_with_another_valid_round_is_another_request() -> None:
    mark = request(7, 2, Step.PROPOSAL)
    assert isinstance(judge(mark, replace(mark, valid_round=1)), BelowMark)


def test_a_mark_of_another_chain_signs_nothing() -> None:
    assert judge(RISING[0], replace(RISING[4], genesis_hash=OTHER)) == BelowMark(
        "the mark is of another chain"
    )


@pytest.mark.parametrize("original", [*RISING, request(9, 4, Step.PRECOMMIT, None)])
def test_a_mark_reads_back_as_it_was_written(original: SignRequest) -> None:
    for valid_round in (-1, 0, 3):
        written = replace(original, valid_round=valid_round)
        assert decode_request(encode_request(written)) == written


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        rlp.encode([]),
        rlp.encode([b"short", 1, 0, 1, b"", 0]),
        rlp.encode([bytes(GENESIS), 1, 0, 9, b"", 0]),
        rlp.encode([bytes(GENESIS), 1, 0, 1, b"x", 0]),
        encode_request(RISING[0]) + b"\0",
    ],
)
def test_a_damaged_mark_is_refused_and_not_taken_for_none(damaged: bytes) -> None:
    with pytest.raises(CocError) as refused:
        decode_request(damaged)
    assert refused.value.id in (MarkInvalid.id, "COC-RLP")


def sealing(slot: int, height: int = 5, block: bytes = b"\x01" * 32) -> SignRequest:
    return SignRequest(Hash32(b"\x11" * 32), Height(height), slot, Step.PROPOSAL, Hash32(block))


@pytest.mark.parametrize(
    ("request_", "verdict"),
    [
        (sealing(8), Marked),
        (sealing(8, height=4), Marked),
        (sealing(7), SameAgain),
        (sealing(7, block=b"\x02" * 32), BelowMark),
        (sealing(7, height=6), BelowMark),
        (sealing(6, height=9), BelowMark),
        (replace(sealing(8), step=Step.PREVOTE), BelowMark),
        (replace(sealing(8), genesis_hash=Hash32(bytes(32))), BelowMark),
    ],
)
def test_on_a_rotation_chain_the_slot_alone_is_the_place(
    request_: SignRequest, verdict: type
) -> None:  # ROT-9
    assert isinstance(judge_by_slot(sealing(7), request_), verdict)
    assert isinstance(judge_by_slot(None, sealing(0)), Marked)
