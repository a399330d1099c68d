"""Cutting a failing case down: greedy, one change after another, as long as it still fails in the same way.

Candidates are plans, so every try is executed by the specification again and is a correct test of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

from .plan import Account, Block, Chain, StateCase, Transaction

Plan = TypeVar("Plan", Chain, StateCase)
Item = TypeVar("Item")
Cut: TypeAlias = Callable[[Plan], Iterator[Plan]]

MAX_TRIES = 400
"""Bound on executions of one shrink; at some 50 ms each this is a matter of seconds."""


def shrink(plan: Plan, phases: Sequence[Cut[Plan]], still_fails: Callable[[Plan], bool]) -> Plan:
    """The smallest plan found that still fails; each phase is repeated until it yields nothing more."""
    tries = 0
    while True:
        before = plan
        for phase in phases:
            candidates = phase(plan)
            while (candidate := next(candidates, None)) is not None:
                tries += 1
                if tries > MAX_TRIES:
                    return plan
                if still_fails(candidate):
                    plan = candidate
                    candidates = phase(plan)
        if plan == before:
            return plan


def _fewer_blocks(plan: Chain) -> Iterator[Chain]:
    for keep in range(1, len(plan.blocks)):
        yield dataclasses.replace(plan, blocks=plan.blocks[:keep])


def _smaller_bodies(plan: Chain) -> Iterator[Chain]:
    for position, block in enumerate(plan.blocks):
        for less in _smaller_blocks(block):
            blocks = (*plan.blocks[:position], less, *plan.blocks[position + 1 :])
            yield dataclasses.replace(plan, blocks=blocks)


def _smaller_world(plan: Plan) -> Iterator[Plan]:
    for accounts in _fewer(plan.accounts):
        yield dataclasses.replace(plan, accounts=accounts)
    for accounts in _smaller_accounts(plan.accounts):
        yield dataclasses.replace(plan, accounts=accounts)


def _fewer_results(plan: StateCase) -> Iterator[StateCase]:
    if len(plan.forks) > 1:
        yield from (dataclasses.replace(plan, forks=(fork,)) for fork in plan.forks)
    if len(plan.datas) > 1:
        yield from (dataclasses.replace(plan, datas=(data,)) for data in plan.datas)
    if len(plan.gas_limits) > 1:
        yield from (dataclasses.replace(plan, gas_limits=(gas,)) for gas in plan.gas_limits)
    if len(plan.values) > 1:
        yield from (dataclasses.replace(plan, values=(value,)) for value in plan.values)


def _smaller_inputs(plan: StateCase) -> Iterator[StateCase]:
    if any(plan.datas):
        yield dataclasses.replace(plan, datas=tuple(data[: len(data) // 2] for data in plan.datas))
    if any(plan.values):
        yield dataclasses.replace(plan, values=(0,))
    for transaction in _smaller_transactions(plan.transaction):
        yield dataclasses.replace(plan, transaction=transaction)


CHAIN_PHASES: tuple[Cut[Chain], ...] = (_fewer_blocks, _smaller_bodies, _smaller_world)
CASE_PHASES: tuple[Cut[StateCase], ...] = (_fewer_results, _smaller_inputs, _smaller_world)


def _fewer(items: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
    """The row without halves, quarters, ... of it, down to single items."""
    size = len(items) // 2
    while size:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size :]
        size //= 2


def _smaller_blocks(block: Block) -> Iterator[Block]:
    for name in ("transactions", "faults", "ommers", "withdrawals"):
        items: tuple[object, ...] = getattr(block, name)
        if len(items) > 1:
            yield dataclasses.replace(block, **{name: ()})  # type: ignore[arg-type]
        for position in range(len(items)):
            yield dataclasses.replace(block, **{name: items[:position] + items[position + 1 :]})  # type: ignore[arg-type]
    if block.back:
        yield dataclasses.replace(block, back=0)
    for position, transaction in enumerate(block.transactions):
        for less in _smaller_transactions(transaction):
            transactions = (*block.transactions[:position], less, *block.transactions[position + 1 :])
            yield dataclasses.replace(block, transactions=transactions)


def _smaller_transactions(plan: Transaction) -> Iterator[Transaction]:
    if plan.data:
        yield dataclasses.replace(plan, data=plan.data[: len(plan.data) // 2])
    if plan.access_list:
        yield dataclasses.replace(plan, access_list=())
    if plan.value:
        yield dataclasses.replace(plan, value=0)
    if len(plan.authorizations) > 1:
        yield dataclasses.replace(plan, authorizations=plan.authorizations[1:])
        yield dataclasses.replace(plan, authorizations=plan.authorizations[:-1])
    if plan.kind in (1, 2):
        yield dataclasses.replace(plan, kind=0, access_list=())


def _smaller_accounts(
    accounts: tuple[tuple[bytes, Account], ...],
) -> Iterator[tuple[tuple[bytes, Account], ...]]:
    for position, (address, account) in enumerate(accounts):
        before, after = accounts[:position], accounts[position + 1 :]
        if account.storage:
            yield (*before, (address, dataclasses.replace(account, storage=())), *after)
        if account.code and not account.code.startswith(b"\xef"):
            size = len(account.code)
            for cut in sorted({0, size // 2, size * 3 // 4, size - 8, size - 1}):
                if 0 <= cut < size:
                    yield (*before, (address, dataclasses.replace(account, code=account.code[:cut])), *after)
