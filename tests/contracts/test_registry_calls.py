"""Calldata names the functions of the compiled contracts, and answers are read strictly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coc.contracts import operator_calls, registry_calls
from coc.contracts.abi import AnswerInvalid, address_word, word
from coc.contracts.registry_calls import (
    SETS_IN_SIGHT,
    decode_skip_list_answer,
    decode_standing_answer,
    decode_validator_set_answer,
    period_of,
    validator_set_call,
)
from coc.primitives.limits import GENESIS_VALIDATORS_MAX
from coc.primitives.types import Address, Height, Signature
from coc.primitives.validators import Validator
from tests.contracts.founded import artifact, founder, set_of

ID = Address(bytes(range(20)))
HEAD = word(32)


def entry(validator: Validator) -> bytes:
    keys = validator.network_key + validator.consensus_key
    return address_word(validator.id) + keys + word(validator.power) + address_word(validator.fee_recipient)


ONE, TWO = (founder(number).validator for number in (1, 2))
SET = HEAD + word(2) + entry(ONE) + entry(TWO)
DECODERS: tuple[Callable[[bytes], object], ...] = (
    decode_validator_set_answer,
    decode_skip_list_answer,
    decode_standing_answer,
)


def test_every_call_names_a_function_of_the_registry() -> None:
    methods = artifact("ValidatorRegistry")["methods"]
    calls = {
        "validatorSet(uint64)": registry_calls.validator_set_call(3),
        "skipList()": registry_calls.skip_list_call(),
        "standing(address,uint64)": registry_calls.standing_call(ID, Height(7)),
        "register(bytes,bytes,address,bytes)": operator_calls.register_call(ONE, Signature(bytes(65))),
        "addStake(address)": operator_calls.add_stake_call(ID),
        "setFeeRecipient(address,address)": operator_calls.set_fee_recipient_call(ID, ID),
        "requestExit(address)": operator_calls.request_exit_call(ID),
        "withdraw(address)": operator_calls.withdraw_call(ID),
    }

    assert {name: methods[name] for name in calls} == {name: call[:4].hex() for name, call in calls.items()}


def test_arguments_are_words_behind_the_selector() -> None:
    assert validator_set_call(258)[4:] == bytes(30) + b"\x01\x02"
    assert registry_calls.standing_call(ID, Height(7))[4:] == bytes(12) + ID + bytes(31) + b"\x07"


def test_a_height_lies_in_the_period_that_its_number_over_the_length_gives() -> None:  # SET-5
    assert [period_of(Height(height), 4) for height in (0, 3, 4, 7, 8)] == [0, 0, 1, 1, 2]


def test_a_set_is_read_in_its_order() -> None:  # SET-6
    assert decode_validator_set_answer(SET) == set_of([founder(1), founder(2)])


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (HEAD + word(0), "empty"),
        (SET[:-1], "cut short"),
        (SET + bytes(1), "too long"),
        (word(64) + SET[32:], "not one list"),
        (HEAD + word(3) + SET[64:], "cut short"),
        (HEAD + word(GENESIS_VALIDATORS_MAX + 1) + SET[64:], "too long"),
        (HEAD + word(2) + entry(ONE) * 2, "twice"),
        (HEAD + word(1) + b"\x01" + entry(ONE)[1:], "too large"),
        (HEAD + word(1) + entry(ONE).replace(word(ONE.power), word(0)), "without power"),
        (HEAD + word(1) + entry(ONE).replace(word(ONE.power), word(2**64)), "too large"),
        (HEAD + word(1) + entry(ONE).replace(ONE.consensus_key, TWO.consensus_key), "contradicts itself"),
    ],
)
def test_a_set_that_is_not_what_the_contract_says_is_refused(answer: bytes, what: str) -> None:
    with pytest.raises(AnswerInvalid, match=what):
        decode_validator_set_answer(answer)


def test_the_largest_skip_list_is_read_and_a_longer_one_refused() -> None:  # SET-18
    most = SETS_IN_SIGHT * GENESIS_VALIDATORS_MAX
    ids = [Address(number.to_bytes(20, "big")) for number in range(most + 1)]

    def answer(count: int) -> bytes:
        return HEAD + word(count) + b"".join(address_word(each) for each in ids[:count])

    assert decode_skip_list_answer(answer(most)) == frozenset(ids[:most])
    with pytest.raises(AnswerInvalid, match="too long"):
        decode_skip_list_answer(answer(most + 1))


def test_a_skip_list_that_names_somebody_twice_is_refused() -> None:
    with pytest.raises(AnswerInvalid, match="twice"):
        decode_skip_list_answer(HEAD + word(2) + address_word(ID) * 2)


def test_a_truth_value_is_zero_or_one() -> None:  # SET-14
    assert decode_standing_answer(word(1)) is True
    assert decode_standing_answer(word(0)) is False
    for answer in (word(2), word(1)[1:], word(1) + bytes(1), b""):
        with pytest.raises(AnswerInvalid):
            decode_standing_answer(answer)


@given(st.binary(max_size=300), st.sampled_from(DECODERS))
def test_any_bytes_are_read_or_refused_with_a_reason(
    answer: bytes, decode: Callable[[bytes], object]
) -> None:
    with suppress(AnswerInvalid):
        decode(answer)
