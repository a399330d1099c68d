"""Random state tests: one transaction with variants, under every fork of a random stretch of history."""

from __future__ import annotations

import dataclasses
import random
from typing import TypeVar

from . import addresses
from .networks import Fork, Network
from .plan import Environment, StateCase, Transaction
from .transactions import random_transaction, spoilt_transaction
from .world import random_accounts

STATE_FORKS = tuple(
    fork for fork in Fork if fork not in (Fork.DAO, Fork.MUIR_GLACIER, Fork.ARROW_GLACIER, Fork.GRAY_GLACIER)
)
"""Forks that differ in what a transaction does."""

Value = TypeVar("Value")

_SPOILT_SHARE = 0.15
_BLOB_GAS = 2**17


def random_state_case(seed: int) -> StateCase:
    """The state test that belongs to a seed, always the same."""
    name = f"state-{seed}"
    dice = random.Random(name)
    start = dice.randrange(len(STATE_FORKS))
    forks = STATE_FORKS[start : start + dice.choice((2, 4, len(STATE_FORKS)))]
    oldest, style = max(forks[0], Fork.SPURIOUS_DRAGON), dice.choice(forks)
    accounts = random_accounts(dice, Network("", oldest, max(style, oldest)))
    transaction = _transaction(dice, style)
    return StateCase(
        name=name,
        forks=forks,
        accounts=tuple(sorted(accounts.items())),
        environment=_environment(dice),
        transaction=transaction,
        datas=_variants(dice, transaction.data, dice.randbytes(dice.choice((0, 32)))),
        gas_limits=_variants(
            dice, transaction.gas_limit, transaction.gas_limit + dice.choice((1, 700, 50_000))
        ),
        values=_variants(dice, transaction.value, dice.choice((0, 1, 2))),
    )


def _transaction(dice: random.Random, style: Fork) -> Transaction:
    """State tests carry fields, not signatures: only what fields can show may be wrong."""
    while True:
        draw = spoilt_transaction if dice.random() < _SPOILT_SHARE else random_transaction
        plan = draw(dice, style)
        if plan.flaw or plan.chain_id == 2 or plan.fee_surplus < -1:
            continue
        return dataclasses.replace(plan, chain_id=None) if plan.kind == 0 else plan


def _environment(dice: random.Random) -> Environment:
    return Environment(
        coinbase=dice.choice((addresses.COINBASE, addresses.COINBASE, addresses.SENDER_ADDRESSES[0])),
        number=1,
        timestamp=dice.choice((1000, 2**32)),
        gas_limit=dice.choice((10**7, 10**8)),
        difficulty=0x20000,
        random=dice.randbytes(32),
        base_fee=dice.choice((0, 7, 10, 10**9)),
        excess_blob_gas=dice.choice((0, 0, 20 * _BLOB_GAS, 200 * _BLOB_GAS)),
    )


def _variants(dice: random.Random, first: Value, second: Value) -> tuple[Value, ...]:
    return (first, second) if dice.random() < 0.4 and first != second else (first,)
