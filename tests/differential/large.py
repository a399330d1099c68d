"""Cases too large to be committed: blocks at Osaka's size limit, chains longer than BLOCKHASH sees."""

from __future__ import annotations

import dataclasses

from . import addresses
from .assembler import Assembler, Op
from .assembly import BuiltChain, build_chain
from .networks import NETWORKS
from .plan import Account, Block, Chain, Genesis, Transaction
from .world import RICH

MAX_BLOCK_BYTES = 8_388_608
"""EIP-7934: ten mebibytes less a margin of two for the consensus layer's part."""

_FULL_TRANSACTION_BYTES = 1_600_000
"""Zero bytes that cost less than the 2**24 gas a transaction may use (EIP-7825, EIP-7623)."""

_FULL_TRANSACTIONS = 5
_TRANSACTION_GAS = 16_500_000
_BLOCK_GAS_LIMIT = 200_000_000

_SYSTEM = {
    addresses.BEACON_ROOTS: Account(nonce=1, code=addresses.BEACON_ROOTS_CODE),
    addresses.HISTORY: Account(nonce=1, code=addresses.HISTORY_CODE),
    addresses.WITHDRAWAL_REQUESTS: Account(nonce=1, code=addresses.WITHDRAWAL_REQUESTS_CODE),
    addresses.CONSOLIDATION_REQUESTS: Account(nonce=1, code=addresses.CONSOLIDATION_REQUESTS_CODE),
}

_HASH_WINDOW = 256
"""BLOCKHASH answers for so many blocks before its own."""


def large_chains() -> tuple[BuiltChain, ...]:
    """All of them."""
    long = tuple(chain_beyond_the_hash_window(network) for network in ("Frontier", "Shanghai", "Prague"))
    return (*chains_at_the_size_limit(), *long)


def chain_beyond_the_hash_window(network: str) -> BuiltChain:
    """Empty blocks until some hashes are out of reach, then a program that asks around both ends."""
    code = Assembler()
    for slot, distance in enumerate((0, 1, 2, _HASH_WINDOW - 1, _HASH_WINDOW, _HASH_WINDOW + 1)):
        code.push(distance)
        code.op(Op.NUMBER, Op.SUB, Op.BLOCKHASH)
        code.push(slot)
        code.op(Op.SSTORE)
    accounts = _SYSTEM | {
        addresses.SENDER_ADDRESSES[0]: Account(balance=RICH),
        addresses.CONTRACTS[0]: Account(nonce=1, code=code.finish()),
    }
    asking = Transaction(addresses.SENDERS[0], 0, 400_000, addresses.CONTRACTS[0], chain_id=None)
    empty = Block(addresses.COINBASE, seconds=12)
    last = dataclasses.replace(empty, transactions=(asking,))
    blocks = (empty,) * (_HASH_WINDOW - 2) + (last,) * 4
    plan = Chain(
        f"{network}-beyond-the-hash-window",
        NETWORKS[network],
        Genesis(10**7),
        tuple(sorted(accounts.items())),
        blocks,
    )
    return build_chain(plan)


def chains_at_the_size_limit() -> tuple[BuiltChain, BuiltChain]:
    """(a chain whose block is as long as allowed, a chain whose block is one byte longer and refused)."""
    draft = build_chain(_plan("draft", 1000))
    rest = 1000 + MAX_BLOCK_BYTES - len(draft.blocks[0].raw)
    draft = build_chain(_plan("draft", rest))  # longer lengths have longer prefixes
    rest += MAX_BLOCK_BYTES - len(draft.blocks[0].raw)
    return build_chain(_plan("block-of-the-greatest-size", rest)), build_chain(
        _plan("block-too-long", rest + 1)
    )


def _plan(name: str, rest: int) -> Chain:
    full = Transaction(
        addresses.SENDERS[0], 2, _TRANSACTION_GAS, addresses.ABSENT, data=bytes(_FULL_TRANSACTION_BYTES)
    )
    transactions = (full,) * _FULL_TRANSACTIONS + (dataclasses.replace(full, data=bytes(rest)),)
    accounts = _SYSTEM | {addresses.SENDER_ADDRESSES[0]: Account(balance=RICH)}
    block = Block(addresses.COINBASE, seconds=12, transactions=transactions)
    return Chain(
        name, NETWORKS["Osaka"], Genesis(_BLOCK_GAS_LIMIT), tuple(sorted(accounts.items())), (block,)
    )
