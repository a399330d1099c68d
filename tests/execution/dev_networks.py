"""The genesis of small development networks, made as `coc up --nodes` makes it."""

from __future__ import annotations

from coc.adapters.constructor_runner import run_constructor
from coc.execution.dev_genesis import DEV_CHAIN_ID, DEV_GAS_LIMIT
from coc.execution.dev_network import DevNetwork, dev_network_genesis
from coc.execution.network_genesis import network_genesis
from coc.primitives.mnemonic import DEV_MNEMONIC

OTHER_MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""A sentence whose accounts and validators are not those of development."""

LONG_AGO = 1_700_000_000
"""Unix time, in seconds, of a genesis that no test compares with the clock."""


def dev_network(node_count: int, timestamp: int = LONG_AGO) -> DevNetwork:
    """So many equal validators and two accounts with money."""
    return DevNetwork(
        mnemonic=DEV_MNEMONIC,
        node_count=node_count,
        account_count=2,
        chain_id=DEV_CHAIN_ID,
        gas_limit=DEV_GAS_LIMIT,
        block_interval_s=1,
        timestamp=timestamp,
    )


def dev_genesis_file(node_count: int, timestamp: int = LONG_AGO) -> bytes:
    """The genesis file of `dev_network`."""
    return network_genesis(dev_network_genesis(dev_network(node_count, timestamp)), run_constructor)
