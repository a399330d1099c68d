"""The whole method table: every namespace group, joined."""

from __future__ import annotations

from typing import Final

from coc.rpc import (
    admin,
    bft,
    debug_raw,
    eth_accounts,
    eth_blocks,
    eth_calls,
    eth_chain,
    eth_fees,
    eth_filters,
    eth_logs,
    eth_send,
    eth_state,
    eth_transactions,
    evm,
    net,
    txpool,
    web3,
)
from coc.rpc.methods import Method, method_table

PUBLIC: Final[dict[str, Method]] = method_table(
    eth_chain.METHODS,
    eth_blocks.METHODS,
    eth_state.METHODS,
    eth_transactions.METHODS,
    eth_calls.METHODS,
    eth_fees.METHODS,
    eth_logs.METHODS,
    eth_filters.METHODS,
    eth_send.METHODS,
    eth_accounts.METHODS,
    debug_raw.METHODS,
    bft.METHODS,
    net.METHODS,
    txpool.METHODS,
    web3.METHODS,
)
"""What every node serves."""

DEVELOPMENT: Final[dict[str, Method]] = PUBLIC | method_table(evm.METHODS)
"""What a development chain serves."""

ADMINISTRATION: Final[dict[str, Method]] = method_table(admin.METHODS)
"""What a node serves to its operator, on the socket in its data folder and nowhere else."""
