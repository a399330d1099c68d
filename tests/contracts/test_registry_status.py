"""Status, periods and refusals as the compiled registry says them, read into words."""

from __future__ import annotations

import json

import pytest

from coc._native import Chain
from coc.contracts.abi import AnswerInvalid, address_word, selector, word
from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.contracts.operator_calls import (
    add_stake_call,
    register_call,
    registration_digest,
    request_exit_call,
    withdraw_call,
)
from coc.contracts.registry_refusals import _READERS, refusal_of
from coc.contracts.registry_status import (
    decode_number_answer,
    decode_status_answer,
    first_height_of_change,
    period_blocks_call,
    stake_min_call,
    status_call,
)
from coc.primitives.limits_rpc import RPC_CALL_GAS_MAX
from coc.primitives.secp256k1 import sign
from coc.primitives.types import Address, ChainId, Height
from coc.primitives.units import ETHER
from tests.contracts.founded import SMALL, artifact, ask, founder, genesis, secret

STRANGER = founder(6)


def chain_of(founders: int) -> Chain:
    return Chain.open(genesis(founders).text, None, b"")


def refused(chain: Chain, operator: Address, calldata: bytes, value_wei: int = 0) -> str:
    """What the registry says to a transaction that it refuses."""
    request = {
        "from": f"0x{operator.hex()}",
        "to": f"0x{VALIDATOR_REGISTRY.hex()}",
        "input": f"0x{calldata.hex()}",
        "value": hex(value_wei),
    }
    result = chain.call(chain.head.hash, json.dumps(request).encode(), b"", b"", RPC_CALL_GAS_MAX)
    assert result.status == "revert"
    refusal = refusal_of(result.output)
    assert refusal is not None, result.output.hex()
    return f"{refusal.why}; {refusal.cure}"


def registration(number: int, signer: int) -> bytes:
    """Registers a founder's keys, with a proof by somebody's consensus key."""
    validator = founder(number).validator
    digest = registration_digest(
        ChainId(31_337), founder(number).operator, validator.network_key, validator.fee_recipient
    )
    return register_call(validator, sign(secret(f"consensus {signer}"), digest))


def test_a_founder_stands_as_genesis_says() -> None:
    one = founder(1)
    status = decode_status_answer(ask(chain_of(2), VALIDATOR_REGISTRY, status_call(one.validator.id)))
    assert status.is_known
    assert (status.operator, status.stake_wei, status.convictions) == (one.operator, one.stake_wei, 0)
    assert (status.leaves_from, status.unlock_height, status.unlock_time) == (0, 0, 0)


def test_whom_the_registry_does_not_know_is_not_known() -> None:
    status = decode_status_answer(ask(chain_of(1), VALIDATOR_REGISTRY, status_call(STRANGER.validator.id)))
    assert not status.is_known


def test_the_parameters_are_those_of_genesis() -> None:
    chain = chain_of(1)
    asked = [ask(chain, VALIDATOR_REGISTRY, call) for call in (period_blocks_call(), stake_min_call())]
    assert [decode_number_answer(answer) for answer in asked] == [SMALL.period_blocks, SMALL.stake_min_wei]


def test_a_change_counts_from_the_period_after_next() -> None:  # SET-5
    assert [first_height_of_change(Height(height), 4) for height in (0, 3, 4, 7)] == [8, 8, 12, 12]


@pytest.mark.parametrize("answer", [b"", word(1), word(1) * 5, word(1) * 7, word(2**200) * 6])
def test_an_answer_of_another_shape_is_refused(answer: bytes) -> None:
    with pytest.raises(AnswerInvalid):
        decode_status_answer(answer)
    with pytest.raises(AnswerInvalid):
        decode_number_answer(answer + word(0) if len(answer) == 32 else answer)


def test_what_the_registry_refuses_is_told_in_words() -> None:
    chain = chain_of(2)
    one, two = founder(1), founder(2)
    too_small = refused(chain, STRANGER.operator, registration(6, signer=6), SMALL.stake_min_wei - ETHER)
    assert "31 ether is below the least, 32 ether" in too_small
    assert "proof" in refused(chain, STRANGER.operator, registration(6, signer=5), 40 * ETHER)
    assert "registered already" in refused(chain, one.operator, registration(1, signer=1), 40 * ETHER)
    assert f"{two.operator.hex()} does not operate" in refused(
        chain, two.operator, request_exit_call(one.validator.id)
    )
    assert "not leaving" in refused(chain, one.operator, withdraw_call(one.validator.id))
    assert "no such validator" in refused(chain, one.operator, request_exit_call(STRANGER.validator.id))
    assert "no coins" in refused(chain, one.operator, add_stake_call(one.validator.id))
    assert "only validator" in refused(chain_of(1), one.operator, request_exit_call(one.validator.id))


def test_a_full_set_says_how_many_it_takes() -> None:
    full = refused(chain_of(SMALL.validators_max), STRANGER.operator, registration(6, signer=6), 40 * ETHER)
    assert f"its {SMALL.validators_max} validators" in full


def test_locked_stakes_say_until_when() -> None:
    error = selector("StillLocked(address,uint256,uint256)")
    locked = refusal_of(error + address_word(STRANGER.operator) + word(1_200) + word(0))
    assert locked is not None
    assert "1,200" in locked.cure
    counting = refusal_of(error + address_word(STRANGER.operator) + word(1_200) + word(99))
    assert counting is not None
    assert "1970-01-01 00:01:39 UTC" in counting.why
    assert refusal_of(error + address_word(STRANGER.operator) + word(1_200) + word(2**200)) is None


@pytest.mark.parametrize("data", [b"", b"\x01\x02", bytes(4), bytes(36)])
def test_revert_data_of_others_are_not_read(data: bytes) -> None:
    assert refusal_of(data) is None


def test_errors_that_are_cut_short_are_not_read() -> None:
    error = selector("StakeTooSmall(uint256,uint256)")
    assert refusal_of(error + word(1) + word(2)) is not None
    assert refusal_of(error + word(1)) is None
    assert refusal_of(error + word(1) + word(2)[:-1]) is None


def test_every_error_that_is_read_is_one_of_the_compiled_contract() -> None:
    errors = [each for each in artifact("ValidatorRegistry")["abi"] if each["type"] == "error"]
    known = {
        selector(f"{each['name']}({','.join(field['type'] for field in each['inputs'])})") for each in errors
    }
    assert set(_READERS) <= known
