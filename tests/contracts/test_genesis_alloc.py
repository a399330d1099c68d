"""The accounts of the system contracts come from running their constructors, and say what genesis says."""

from __future__ import annotations

import pytest

from coc._native import Chain
from coc.adapters.constructor_runner import ConstructorFailed, run_constructor
from coc.contracts.addresses import EQUIVOCATION_DETECTOR, INSURANCE_FUND, VALIDATOR_REGISTRY
from coc.contracts.genesis_alloc import FoundersInvalid, system_contracts
from coc.contracts.registry_calls import (
    decode_skip_list_answer,
    decode_validator_set_answer,
    skip_list_call,
    validator_set_call,
)
from coc.contracts.registry_parameters import PERIOD_BLOCKS_MIN
from coc.primitives.frozen import replace
from coc.primitives.limits import GENESIS_VALIDATORS_MAX
from coc.primitives.types import Wei
from tests.contracts.founded import SMALL, accounts_of, artifact, ask, founder, genesis, set_of

NAMES = ("ValidatorRegistry", "EquivocationDetector", "InsuranceFund")
PARAMETERS = replace(SMALL, validators_max=GENESIS_VALIDATORS_MAX)


def test_the_contracts_stand_where_everybody_looks_for_them() -> None:  # SET-1
    accounts = accounts_of(2)

    assert [account.address for account in accounts] == [
        VALIDATOR_REGISTRY,
        EQUIVOCATION_DETECTOR,
        INSURANCE_FUND,
    ]


def test_code_is_the_artifacts_with_the_parameters_filled_in() -> None:  # SET-23
    parameters = SMALL.json()
    for name, account in zip(NAMES, accounts_of(2), strict=True):
        compiled = artifact(name)
        code = bytearray.fromhex(compiled["deployedBytecode"][2:])
        for immutable, places in compiled["immutableReferences"].items():
            value = int(str(parameters[immutable]), 0)
            for place in places:
                code[place["start"] : place["start"] + place["length"]] = value.to_bytes(
                    place["length"], "big"
                )
        assert account.code == bytes(code)


def test_every_parameter_is_in_the_registrys_code() -> None:  # SET-23
    assert set(artifact("ValidatorRegistry")["immutableReferences"]) == set(SMALL.json())


def test_the_registry_holds_the_sum_of_the_stakes_and_the_others_nothing() -> None:  # SET-19, SET-23
    registry, detector, fund = accounts_of(3)

    assert registry.balance_wei == 3 * founder(1).stake_wei
    assert detector.balance_wei == fund.balance_wei == 0
    assert not detector.storage
    assert not fund.storage
    assert registry.json()["nonce"] == "0x1"


@pytest.mark.parametrize("count", [1, 5])
def test_the_registry_of_block_zero_names_the_validators_of_genesis(count: int) -> None:  # SET-7, SET-23
    made = genesis(count)
    chain = Chain.open(made.text, None, b"")

    assert made.coc is not None
    for period in range(3):
        answer = ask(chain, VALIDATOR_REGISTRY, validator_set_call(period))
        assert decode_validator_set_answer(answer) == made.coc.validators
    assert decode_skip_list_answer(ask(chain, VALIDATOR_REGISTRY, skip_list_call())) == frozenset()


def test_the_largest_set_fits_a_constructor_and_a_call() -> None:  # SET-8, SET-22
    made = genesis(GENESIS_VALIDATORS_MAX, PARAMETERS)
    chain = Chain.open(made.text, None, b"")

    answer = decode_validator_set_answer(ask(chain, VALIDATOR_REGISTRY, validator_set_call(0)))

    assert answer == set_of([founder(number + 1) for number in range(GENESIS_VALIDATORS_MAX)])


def test_a_power_that_the_stake_is_not_worth_is_refused() -> None:
    one = founder(1)
    stronger = replace(one, validator=replace(one.validator, power=one.validator.power + 1))

    with pytest.raises(FoundersInvalid, match="is worth 40"):
        system_contracts(SMALL, [stronger], run_constructor)


def test_what_the_constructor_refuses_makes_no_genesis() -> None:  # SET-3, SET-5, SET-9
    with pytest.raises(ConstructorFailed):
        system_contracts(SMALL, [], run_constructor)
    with pytest.raises(ConstructorFailed):
        system_contracts(SMALL, [founder(1), founder(1)], run_constructor)
    with pytest.raises(ConstructorFailed):
        system_contracts(replace(SMALL, period_blocks=PERIOD_BLOCKS_MIN - 1), [founder(1)], run_constructor)


def test_what_a_constructor_is_given_must_be_in_its_transaction() -> None:
    with pytest.raises(ConstructorFailed):
        system_contracts(SMALL, [founder(1)], lambda code, _: run_constructor(code, Wei(1)))
