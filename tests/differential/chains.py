"""Random chains: the plan of a blockchain test from a network's name and a seed."""

from __future__ import annotations

import random

from . import addresses
from .faults import faults_of
from .networks import TRANSITION_BLOCK, TRANSITION_TIME_SECONDS, Fork, Network
from .plan import MAX_UINT64, Block, Chain, Genesis, Ommer, Withdrawal
from .transactions import random_transaction, spoilt_transaction
from .world import random_accounts

_STATIC_BLOCKS = (2, 3, 4)
_BLOCKS_AFTER_CHANGE = 2
_FAULTS_PER_BLOCK = 4
_GENESIS_GAS_LIMITS = (1_500_000, 8_000_000, 30_000_000, 100_000_000)
_BRANCH_SHARE = 0.1
"""How often a block of a proof-of-work chain stands on another than the block before it."""

_BLOB_GAS = 2**17


def random_chain(network: Network, seed: int) -> Chain:
    """The chain that belongs to a seed, always the same."""
    name = f"{network.name}-{seed}"
    dice = random.Random(name)
    accounts = random_accounts(dice, network)
    genesis = _genesis(dice, network)
    blocks = tuple(
        _block(dice, network, position, seconds) for position, seconds in enumerate(_times(dice, network))
    )
    return Chain(name, network, genesis, tuple(sorted(accounts.items())), blocks)


def _genesis(dice: random.Random, network: Network) -> Genesis:
    gas_limit = dice.choice(_GENESIS_GAS_LIMITS)
    excess = (
        dice.choice((0, 0, 3 * _BLOB_GAS, 20 * _BLOB_GAS, 200 * _BLOB_GAS))
        if network.first >= Fork.CANCUN
        else 0
    )
    return Genesis(
        gas_limit=gas_limit,
        base_fee=dice.choice((7, 7, 1000, 10**9)),
        excess_blob_gas=excess,
        blob_gas_used=dice.choice((0, 3 * _BLOB_GAS, 6 * _BLOB_GAS)) if excess else 0,
        gas_used=dice.choice((0, gas_limit // 2, gas_limit)) if network.first >= Fork.LONDON else 0,
        difficulty=dice.choice((0x20000, 0x20000, 0x25000)),
    )


def _times(dice: random.Random, network: Network) -> list[int]:
    """Seconds between blocks, so many that the change of rules lies within."""
    if network.at_time is not None:
        before = dice.randrange(1, 3)
        first = TRANSITION_TIME_SECONDS - dice.choice((1, 1, 12, 500)) - (before - 1)
        arrival = dice.choice((0, 0, 1, 30))
        steps = [first] + [1] * (before - 1)
        steps.append(TRANSITION_TIME_SECONDS - sum(steps) + arrival)
        return steps + [dice.choice((1, 12, 13)) for _ in range(_BLOCKS_AFTER_CHANGE)]
    if network.second is None:
        return [dice.choice((1, 5, 12, 13, 40, 1000)) for _ in range(dice.choice(_STATIC_BLOCKS))]
    return [dice.choice((1, 9, 13, 40, 1000)) for _ in range(TRANSITION_BLOCK + _BLOCKS_AFTER_CHANGE)]


def _block(dice: random.Random, network: Network, position: int, seconds: int) -> Block:
    near = network.at_block is None or position + 1 >= TRANSITION_BLOCK - 1
    fork = network.last if dice.random() < 0.5 else network.first
    count = dice.choice((1, 2, 2, 3, 4)) if near else dice.choice((0, 1, 1))
    transactions = [random_transaction(dice, fork) for _ in range(count)]
    for _ in range(dice.choice((0, 1, 2) if near else (0, 0, 1))):
        transactions.insert(dice.randrange(len(transactions) + 1), spoilt_transaction(dice, fork))
    faults = faults_of(network.last)
    return Block(
        coinbase=_coinbase(dice),
        seconds=seconds,
        back=dice.choice((1, 1, 2, 3)) if network.last < Fork.PARIS and dice.random() < _BRANCH_SHARE else 0,
        gas_limit_shift=dice.choice((0, 0, -1024, 1024, dice.randrange(-1024, 1025))),
        extra_data=dice.randbytes(dice.choice((0, 0, 5, 32))),
        random=dice.randbytes(32),
        beacon_root=dice.randbytes(32),
        transactions=tuple(transactions),
        ommers=_ommers(dice),
        withdrawals=_withdrawals(dice),
        faults=tuple(dice.sample(faults, _FAULTS_PER_BLOCK if near else 1)),
    )


def _coinbase(dice: random.Random) -> bytes:
    return dice.choice(
        (
            addresses.COINBASE,
            addresses.COINBASE,
            dice.choice(addresses.CONTRACTS),
            dice.choice(addresses.SENDER_ADDRESSES),
            dice.choice(addresses.EMPTY_ACCOUNTS),
            addresses.address(dice.choice((0, 1, 3, 10))),
        )
    )


def _ommers(dice: random.Random) -> tuple[Ommer, ...]:
    count = dice.choice((0, 0, 1, 2))
    return tuple(Ommer(dice.choice((1, 1, 2, 3, 6)), dice.randbytes(20)) for _ in range(count))


def _withdrawals(dice: random.Random) -> tuple[Withdrawal, ...]:
    pool = (
        *addresses.CONTRACTS,
        *addresses.EMPTY_ACCOUNTS,
        addresses.ABSENT,
        addresses.address(1),
        addresses.COINBASE,
    )
    return tuple(
        Withdrawal(
            dice.randrange(1000),
            dice.randrange(1000),
            dice.choice(pool),
            dice.choice((0, 0, 1, 10**9, MAX_UINT64)),
        )
        for _ in range(dice.choice((0, 0, 1, 3)))
    )
