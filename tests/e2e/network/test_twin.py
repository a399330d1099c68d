"""Two processes that vote with one key: convicted, slashed alike on every node, and without power."""

from __future__ import annotations

from pathlib import Path

from coc.contracts.addresses import INSURANCE_FUND, VALIDATOR_REGISTRY
from coc.contracts.registry_parameters import RegistryParameters
from coc.contracts.registry_status import first_height_of_change
from coc.primitives.types import Address, Height
from tests.e2e.crash.promises import Promises
from tests.e2e.network.accounts import balance_after, status_after
from tests.e2e.network.decisions import Ledger, ledgers_of, verify
from tests.e2e.network.load import NetworkLoad, RoamingWriter
from tests.e2e.network.network_process import (
    STAKE_WEI,
    Member,
    Network,
    assert_nobody_is_accused,
    keep_keys,
    network,
    same_block,
)

PERIOD_BLOCKS = 4
REGISTRY = RegistryParameters(period_blocks=PERIOD_BLOCKS)
WRITERS = range(5, 9)
"""Accounts that keep pools apart, so that the twins' blocks differ."""
TRANSACTIONS = 2_000
NOBODY = Address(bytes(20))
"""Who gets what is burned."""


def test_a_twin_is_convicted_slashed_alike_everywhere_and_loses_its_power_while_the_chain_goes_on(
    tmp_path: Path,
) -> None:
    with network(tmp_path / "net", 4, spare=1, registry=REGISTRY) as five:
        offender, twin = five[3], five[4]
        twin.consensus = offender.consensus
        keep_keys(twin)
        five.start()
        load = NetworkLoad([RoamingWriter(index, seed=1) for index in WRITERS], five.members, TRANSACTIONS)
        convicted = five.until(lambda: convicted_at(five[0], offender.id), "the offender is convicted")
        load.collect([Promises() for _ in five.members], Promises())
        gone = first_height_of_change(Height(convicted), PERIOD_BLOCKS)
        end = gone + PERIOD_BLOCKS
        five.until_height(end)
        same_block(five.members, end)
        assert_same_accounts(five, offender, end)
        five.stop()

        ledgers = ledgers_of(five)
        for ledger in ledgers:
            verify(ledger)
        assert_punished(ledgers[0], offender.id, gone)
        assert_nobody_is_accused(five.members)


def convicted_at(member: Member, offender: Address) -> int | None:
    """The height that first shows a conviction, at most so many as there were until now."""
    height = member.height()
    if not status_after(member, offender, height).convictions:
        return None
    while status_after(member, offender, height - 1).convictions:
        height -= 1
    return height


def assert_same_accounts(five: Network, offender: Member, height: int) -> None:
    """Stake, registry, fund and burned coins are the same on every node, and add up to the wei."""
    seen = {
        (
            status_after(member, offender.id, height),
            balance_after(member, VALIDATOR_REGISTRY, height),
            balance_after(member, INSURANCE_FUND, height),
        )
        for member in five.members
    }
    assert len(seen) == 1, seen
    ((status, registry_wei, fund_wei),) = seen
    slashed_wei = STAKE_WEI - status.stake_wei
    assert slashed_wei == min(status.convictions * REGISTRY.slash_wei, STAKE_WEI)
    assert registry_wei == 4 * STAKE_WEI - slashed_wei
    assert fund_wei == slashed_wei * 20 // 100
    assert balance_after(five[0], NOBODY, height) >= slashed_wei // 2


def assert_punished(ledger: Ledger, offender: Address, gone: int) -> None:
    """Evidence names nobody else; power ends when it should, and what follows is the others' alone."""
    offences = [piece.offence() for each in ledger.decisions for piece in each.data.evidence]
    assert offences
    assert {each[0] for each in offences} == {offender}
    assert len(set(offences)) == len(offences), "an offence counted twice"
    for height in range(1, ledger.head + 1):
        assert (offender in ledger.set_at(height)) == (height < gone), height
    assert all(offender not in ledger.voters(height) for height in range(gone, ledger.head))
