"""A validator comes and goes by transactions, on a network that runs on (SET-5)."""

from __future__ import annotations

from pathlib import Path

from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.contracts.operator_calls import register_call, registration_digest, request_exit_call
from coc.contracts.registry_parameters import RegistryParameters
from coc.contracts.registry_status import first_height_of_change
from coc.primitives.secp256k1 import sign
from coc.primitives.types import ChainId, Height
from tests.e2e.network.accounts import CHAIN_ID, Account, set_after, status_after
from tests.e2e.network.decisions import ledgers_of, offences, verify
from tests.e2e.network.network_process import (
    STAKE_WEI,
    assert_nobody_is_accused,
    entry,
    network,
    same_block,
)

PERIOD_BLOCKS = 4
REGISTRY = RegistryParameters(period_blocks=PERIOD_BLOCKS)
OPERATOR = 9
"""Of the newcomer; the founders' operators are the first accounts."""


def test_a_validator_joins_by_a_transaction_votes_two_periods_later_and_leaves_by_another(
    tmp_path: Path,
) -> None:
    operator = Account(OPERATOR)
    with network(tmp_path / "net", 4, spare=1, registry=REGISTRY) as five:
        newcomer = five[4]
        five.start()
        five.until_height(1)
        keys = entry(newcomer.number, 0)
        digest = registration_digest(
            ChainId(CHAIN_ID), operator.address, keys.network_key, keys.fee_recipient
        )
        call = register_call(keys, sign(newcomer.consensus, digest))
        registered = operator.send(five, five[1], VALIDATOR_REGISTRY, call, STAKE_WEI)
        joins = first_height_of_change(Height(registered), PERIOD_BLOCKS)
        assert newcomer.id in set_after(five[1], registered, PERIOD_BLOCKS, periods_on=2)
        five.until_height(joins + PERIOD_BLOCKS)

        left = operator.send(five, five[2], VALIDATOR_REGISTRY, request_exit_call(newcomer.id))
        leaves = first_height_of_change(Height(left), PERIOD_BLOCKS)
        assert status_after(five[3], newcomer.id, left).leaves_from == leaves // PERIOD_BLOCKS
        five.until_height(leaves + PERIOD_BLOCKS)
        same_block(five.members, leaves + PERIOD_BLOCKS)
        five.stop()

        ledgers = ledgers_of(five)
        for ledger in ledgers:
            verify(ledger)
        ledger = ledgers[0]
        founders = [member.id for member in five.members[:4]]
        for height in range(1, ledger.head + 1):
            is_in = joins <= height < leaves
            assert ledger.set_at(height) == [*founders, newcomer.id] if is_in else founders, height
        with_vote = {height for height in range(1, ledger.head) if newcomer.id in ledger.voters(height)}
        assert with_vote, "the newcomer never voted"
        assert with_vote <= set(range(joins, leaves))
        proposed = {height for height in range(1, ledger.head) if ledger[height].data.proposer == newcomer.id}
        assert proposed, "the newcomer never proposed"
        assert offences(ledgers) == []
        assert_nobody_is_accused(five.members)
