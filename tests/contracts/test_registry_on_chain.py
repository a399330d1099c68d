"""The registry through the blocks of a real chain: transactions in, system calls at their times, sets out."""

from __future__ import annotations

import json
from typing import Any

from coc._native import Chain, sign_transaction
from coc.contracts.addresses import EQUIVOCATION_DETECTOR, INSURANCE_FUND, VALIDATOR_REGISTRY
from coc.contracts.operator_calls import (
    add_stake_call,
    register_call,
    registration_digest,
    request_exit_call,
    set_fee_recipient_call,
    withdraw_call,
)
from coc.contracts.registry_calls import (
    decode_skip_list_answer,
    decode_standing_answer,
    decode_validator_set_answer,
    period_of,
    skip_list_call,
    standing_call,
    validator_set_call,
)
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.seals import Step
from coc.primitives.secp256k1 import address_of, sign
from coc.primitives.types import Address, ChainId, Hash32, Height, Signature
from coc.primitives.units import ETHER
from coc.primitives.validators import ValidatorSet
from coc.primitives.votes import Evidence, Vote, evidence_of
from tests.contracts.founded import SMALL, ask, founder, genesis, secret, set_of

BLOCK_SECONDS = 5
PROPOSER_FEES = Address(b"\x77" * 20)
NEWCOMER = founder(3)


class RegistryChain:
    """A chain whose blocks are made one by one; what consensus would check of them is not looked at."""

    def __init__(self, founders: int = 2) -> None:
        self.made = genesis(founders)
        self.chain: Any = Chain.open(self.made.text, None, b"")
        self.nonces: dict[Address, int] = {}

    @property
    def height(self) -> int:
        return int(self.chain.head.number)

    def send(self, operator: int, calldata: bytes, value_wei: int = 0) -> None:
        """A block with a transaction of an operator, which must succeed."""
        key = secret(f"operator {operator}")
        sender = address_of(key)
        nonce = self.nonces.get(sender, 0)
        unsigned = {
            "type": "0x2",
            "chainId": hex(self.chain.chain_id),
            "nonce": hex(nonce),
            "to": f"0x{VALIDATOR_REGISTRY.hex()}",
            "value": hex(value_wei),
            "gas": hex(1_000_000),
            "maxFeePerGas": hex(10**11),
            "maxPriorityFeePerGas": "0x0",
            "input": f"0x{calldata.hex()}",
            "accessList": [],
        }
        raw = sign_transaction(key, json.dumps(unsigned).encode())
        block = self.extend(transactions=[self.chain.admit(self.chain.head.hash, [raw])[0][0]])
        self.nonces[sender] = nonce + 1
        receipt = json.loads(self.chain.receipt_json(block, 0))
        assert receipt["status"] == "0x1"

    def extend(self, transactions: list[Any] | None = None, evidence: tuple[Evidence, ...] = ()) -> Hash32:
        """One block more."""
        validators = set_of([founder(1)])
        data = ConsensusData(b"", validators.validators[0].id, 0, validators, validators, b"", evidence)
        attributes = {
            "timestamp": self.chain.head.timestamp + BLOCK_SECONDS,
            "coinbase": f"0x{PROPOSER_FEES.hex()}",
            "gas_limit_target": self.chain.head.gas_limit,
            "consensus_data": f"0x{data.encode().hex()}",
        }
        built = self.chain.build(
            self.chain.head.hash, json.dumps(attributes).encode(), transactions or [], None
        )
        assert not built.refused
        self.chain.decide(built.hash, b"")
        return Hash32(built.hash)

    def to_height(self, height: int) -> None:
        while self.height < height:
            self.extend()

    def set_in(self, period: int) -> ValidatorSet:
        return decode_validator_set_answer(ask(self.chain, VALIDATOR_REGISTRY, validator_set_call(period)))

    def period(self) -> int:
        return period_of(Height(self.height), SMALL.period_blocks)

    def balance(self, address: Address) -> int:
        return int(self.chain.account(self.chain.head.hash, address)[1])


def register(chain: RegistryChain, stake_wei: int) -> None:
    """Number 3 registers."""
    validator = NEWCOMER.validator
    digest = registration_digest(
        ChainId(chain.chain.chain_id), NEWCOMER.operator, validator.network_key, validator.fee_recipient
    )
    chain.send(3, register_call(validator, sign(secret("consensus 3"), digest)), stake_wei)


def test_a_validator_comes_changes_and_goes_by_transactions() -> None:  # SET-2, SET-5, SET-10
    chain = RegistryChain()
    register(chain, NEWCOMER.stake_wei)
    chain.send(3, add_stake_call(NEWCOMER.validator.id), ETHER)
    chain.send(3, set_fee_recipient_call(NEWCOMER.validator.id, PROPOSER_FEES))
    assert chain.period() == 0
    before = set_of([founder(1), founder(2)])
    assert [chain.set_in(period) for period in (0, 1)] == [before, before]

    newcomer = chain.set_in(2).validators[2]

    assert newcomer.id == NEWCOMER.validator.id
    assert newcomer.consensus_key == NEWCOMER.validator.consensus_key
    assert newcomer.network_key == NEWCOMER.validator.network_key
    assert newcomer.power == NEWCOMER.validator.power + 1
    assert newcomer.fee_recipient == PROPOSER_FEES
    chain.to_height(2 * SMALL.period_blocks)
    assert chain.set_in(2).validators[2] == newcomer
    chain.send(3, request_exit_call(NEWCOMER.validator.id))
    assert chain.set_in(4) == before


def test_the_protocol_opens_periods_so_that_stakes_unlock() -> None:  # SET-12, SET-13
    chain = RegistryChain()
    leaver = founder(2)
    chain.send(2, request_exit_call(leaver.validator.id))
    first_without_power = 2 * SMALL.period_blocks
    unlocked_blocks = first_without_power + SMALL.unbonding_blocks
    assert SMALL.unbonding_s <= SMALL.unbonding_blocks * BLOCK_SECONDS
    chain.to_height(unlocked_blocks - 1)
    before = chain.balance(leaver.operator)

    chain.send(2, withdraw_call(leaver.validator.id))

    assert chain.height == unlocked_blocks
    assert before < chain.balance(leaver.operator) <= before + leaver.stake_wei
    assert chain.balance(VALIDATOR_REGISTRY) == founder(1).stake_wei


def vote(block: int, height: int) -> Vote:
    offender = founder(2).validator.id
    hash_ = Hash32(bytes([block]) * 32)
    return Vote(Height(height), 0, Step.PREVOTE, hash_, offender, Signature(bytes(65)))


def test_evidence_in_a_block_slashes_when_the_block_is_executed() -> None:  # SET-15, SET-16, SET-20
    chain = RegistryChain()
    offender = founder(2).validator.id
    chain.to_height(5)
    assert decode_standing_answer(ask(chain.chain, VALIDATOR_REGISTRY, standing_call(offender, Height(3))))
    burned = chain.balance(Address(bytes(20)))

    chain.extend(evidence=(evidence_of(vote(1, 3), vote(2, 3)),))

    slashed = SMALL.slash_wei
    assert chain.balance(VALIDATOR_REGISTRY) == 2 * founder(2).stake_wei - slashed
    assert chain.balance(PROPOSER_FEES) == slashed * 3 // 10
    assert chain.balance(INSURANCE_FUND) == slashed // 5
    assert chain.balance(Address(bytes(20))) - burned == slashed // 2
    assert chain.balance(EQUIVOCATION_DETECTOR) == 0
    skipped = decode_skip_list_answer(ask(chain.chain, VALIDATOR_REGISTRY, skip_list_call()))
    assert skipped == {offender}
    assert not decode_standing_answer(
        ask(chain.chain, VALIDATOR_REGISTRY, standing_call(offender, Height(3)))
    )
    assert chain.set_in(3) == set_of([founder(1)])
