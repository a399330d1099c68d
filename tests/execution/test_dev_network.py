"""The development network of a mnemonic: the same sentence, the same validators, and nobody else's."""

from __future__ import annotations

import pytest

from coc.execution.dev_network import dev_network_genesis, dev_validators
from coc.execution.genesis import read_genesis
from coc.primitives.mnemonic import DEV_MNEMONIC, MnemonicInvalid, dev_secrets
from coc.primitives.secp256k1 import address_of
from tests.execution.dev_networks import OTHER_MNEMONIC, dev_genesis_file, dev_network


def test_the_same_sentence_gives_the_same_validators_however_it_is_typed() -> None:
    first = dev_validators(DEV_MNEMONIC, 4)
    assert dev_validators(f"  {DEV_MNEMONIC.upper()} ", 7)[:4] == first


def test_no_two_keys_of_a_network_are_the_same_nor_any_of_another_sentence() -> None:
    keys = [
        key
        for mnemonic in (DEV_MNEMONIC, OTHER_MNEMONIC)
        for validator in dev_validators(mnemonic, 4)
        for key in (validator.network, validator.consensus)
    ]
    accounts = [*dev_secrets(DEV_MNEMONIC, 4), *dev_secrets(OTHER_MNEMONIC, 4)]
    assert len({*keys, *accounts}) == len(keys) + len(accounts)


def test_the_genesis_is_that_of_equal_validators_who_can_pay_for_their_transactions() -> None:
    genesis = read_genesis(dev_genesis_file(4))
    rules = genesis.coc
    assert rules is not None
    assert rules.registry is not None
    assert (rules.engine, len({each.power for each in rules.validators.validators})) == ("bft", 1)
    expected = dev_validators(DEV_MNEMONIC, 4)
    assert [each.id for each in rules.validators.validators] == [
        address_of(each.consensus) for each in expected
    ]
    funded = dev_network_genesis(dev_network(4)).balances
    assert {each.account for each in expected} == set(funded)


def test_a_sentence_that_is_none_makes_no_network() -> None:
    with pytest.raises(MnemonicInvalid):
        dev_validators("test test test", 4)
