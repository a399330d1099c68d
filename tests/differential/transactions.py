"""Random transactions of every type a fork knows, most of them valid, some with one thing wrong."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from . import addresses, precompiles, programs
from .curves import address_of
from .networks import Fork
from .plan import MAX_UINT64, MAX_UINT256, Authorization, Transaction
from .values import SLOTS

_GAS_LIMITS = (
    21_000,
    40_000,
    60_000,
    100_000,
    150_000,
    300_000,
    500_000,
    500_000,
    900_000,
    900_000,
    2_000_000,
)
_TX_GAS_CAP = 2**24
"""EIP-7825: most gas a transaction may ask for since Osaka."""

_MAX_INITCODE_BYTES = 49_152
"""EIP-3860."""

_UNPROTECTED_SHARE = 0.2


def random_transaction(dice: random.Random, fork: Fork) -> Transaction:
    """A transaction that is meant to be valid under a fork's rules."""
    makers = (_contract_call, _transfer, _creation, _precompile_call, _system_call)
    plan = dice.choices(makers, (10, 2, 3, 1, 5 if fork >= Fork.PRAGUE else 1))[0](dice, fork)
    return _typed(dice, fork, plan)


def spoilt_transaction(dice: random.Random, fork: Fork) -> Transaction:
    """A transaction with one thing wrong that some fork forbids."""
    plan = random_transaction(dice, fork)
    return dice.choice(_SPOILERS)(dice, plan)


def _sender(dice: random.Random) -> int:
    return dice.choice(addresses.SENDERS)


def _chain_id(dice: random.Random, fork: Fork) -> int | None:
    unprotected = fork < Fork.SPURIOUS_DRAGON or dice.random() < _UNPROTECTED_SHARE
    return None if unprotected else 1


def _data(dice: random.Random) -> bytes:
    """Call data of a few words, many of them small numbers or addresses."""
    words = b""
    for _ in range(dice.choice((0, 0, 1, 2, 3))):
        kind = dice.randrange(4)
        if kind == 0:
            words += dice.randbytes(32)
        elif kind == 1:
            words += bytes(12) + dice.choice(addresses.CONTRACTS)
        else:
            words += dice.randrange(8).to_bytes(32, "big")
    return words + dice.randbytes(dice.choice((0, 0, 0, 1, 31)))


def _contract_call(dice: random.Random, fork: Fork) -> Transaction:
    target = dice.choice((*addresses.CONTRACTS, dice.choice(addresses.AUTHORITY_ADDRESSES)))
    return Transaction(
        _sender(dice), 0, dice.choice(_GAS_LIMITS), target, dice.choice((0, 0, 1, 10**9)), _data(dice),
        chain_id=_chain_id(dice, fork),
    )  # fmt: skip


def _transfer(dice: random.Random, fork: Fork) -> Transaction:
    targets = (*addresses.EMPTY_ACCOUNTS, *addresses.SENDER_ADDRESSES, addresses.ABSENT, addresses.COINBASE)
    gas = dice.choice((21_000, 30_000))
    return Transaction(
        _sender(dice),
        0,
        gas,
        dice.choice(targets),
        dice.choice((0, 0, 1, 10**18)),
        chain_id=_chain_id(dice, fork),
    )


def _creation(dice: random.Random, fork: Fork) -> Transaction:
    initcode = programs.random_initcode(dice, fork)
    gas = dice.choice((60_000, 150_000, 400_000, 900_000, 900_000))
    return Transaction(
        _sender(dice), 0, gas, b"", dice.choice((0, 0, 3)), initcode, chain_id=_chain_id(dice, fork)
    )


def _precompile_call(dice: random.Random, fork: Fork) -> Transaction:
    newest = precompiles.newest_precompile(fork)
    number = (
        precompiles.P256_ADDRESS
        if fork >= Fork.OSAKA and dice.random() < 0.2
        else dice.randint(1, newest + 1)
    )
    gas = dice.choice((30_000, 100_000, 300_000))
    data = precompiles.sample(dice, number)
    return Transaction(
        _sender(dice),
        0,
        gas,
        addresses.address(number),
        dice.choice((0, 0, 1)),
        data,
        chain_id=_chain_id(dice, fork),
    )


def _system_call(dice: random.Random, fork: Fork) -> Transaction:
    """A call to a predeploy: requests that shall leave the block, or reads."""
    target, data = dice.choice(
        (
            (addresses.WITHDRAWAL_REQUESTS, dice.randbytes(56)),
            (addresses.WITHDRAWAL_REQUESTS, dice.randbytes(56)),
            (addresses.CONSOLIDATION_REQUESTS, dice.randbytes(96)),
            (addresses.DEPOSITS, programs.deposit_event(dice)),
            (addresses.WITHDRAWAL_REQUESTS, dice.choice((b"", dice.randbytes(55)))),
            (addresses.CONSOLIDATION_REQUESTS, dice.randbytes(96)),
            (addresses.DEPOSITS, programs.deposit_event(dice)),
            (addresses.BEACON_ROOTS, dice.randrange(20_000).to_bytes(32, "big")),
            (addresses.HISTORY, dice.randrange(8).to_bytes(32, "big")),
        )
    )
    value = dice.choice((0, 1, 1, 1, 10**6))
    return Transaction(_sender(dice), 0, 300_000, target, value, data, chain_id=_chain_id(dice, fork))


def _typed(dice: random.Random, fork: Fork, plan: Transaction) -> Transaction:
    """Give a legacy transaction one of the types the fork knows."""
    kinds = [0]
    kinds += [1] * (fork >= Fork.BERLIN) + [2] * 2 * (fork >= Fork.LONDON)
    kinds += [3] * (fork >= Fork.CANCUN and plan.to != b"") + [4] * 2 * (
        fork >= Fork.PRAGUE and plan.to != b""
    )
    kind = dice.choice(kinds)
    surplus = dice.choice((0, 0, 1, 10, 10**9))
    plan = dataclasses.replace(plan, kind=kind, fee_surplus=surplus, tip=dice.choice((0, 0, 1, surplus)))
    plan = dataclasses.replace(plan, tip=min(plan.tip, surplus))
    if kind == 0:
        return plan
    plan = dataclasses.replace(
        plan, chain_id=1, access_list=_access_list(dice), gas_limit=plan.gas_limit + 20_000
    )
    if kind == 3:
        hashes = tuple(b"\x01" + dice.randbytes(31) for _ in range(dice.choice((1, 1, 2, 3, 6))))
        return dataclasses.replace(plan, blob_hashes=hashes, blob_fee_surplus=dice.choice((0, 0, 100)))
    if kind == 4:
        authorizations = tuple(_authorization(dice, plan.secret) for _ in range(dice.choice((1, 1, 2, 3))))
        gas = plan.gas_limit + 25_000 * len(authorizations)
        return dataclasses.replace(plan, authorizations=authorizations, gas_limit=gas)
    return plan


def _access_list(dice: random.Random) -> tuple[tuple[bytes, tuple[int, ...]], ...]:
    entries = []
    for _ in range(dice.choice((0, 0, 1, 2))):
        target = dice.choice((*addresses.CONTRACTS, addresses.ABSENT, addresses.address(2)))
        entries.append((target, tuple(dice.randrange(SLOTS) for _ in range(dice.choice((0, 1, 1, 2))))))
    return tuple(entries)


def _authorization(dice: random.Random, sender: int) -> Authorization:
    signer = sender if dice.random() < 0.15 else dice.choice(addresses.AUTHORITIES)
    target = dice.choice(
        (
            *addresses.CONTRACTS,
            bytes(20),
            addresses.address(2),
            *addresses.AUTHORITY_ADDRESSES,
            addresses.ABSENT,
        )
    )
    nonce_shift = 1 if signer == sender and dice.random() < 0.8 else 0
    match dice.randrange(10):
        case 0:
            return Authorization(signer, target, chain_id=dice.choice((2, MAX_UINT64)))
        case 1:
            return Authorization(signer, target, nonce_shift=nonce_shift + 1)
        case 2:
            flaw = dice.choice(("high_s", "zero_r", "bad_parity"))
            return Authorization(signer, target, nonce_shift=nonce_shift, flaw=flaw)
        case 3 | 4:
            return Authorization(signer, target, chain_id=0, nonce_shift=nonce_shift)
        case _:
            return Authorization(signer, target, nonce_shift=nonce_shift)


_Spoiler = Callable[[random.Random, Transaction], Transaction]


def _spoil(**changes: object) -> _Spoiler:
    return lambda dice, plan: dataclasses.replace(plan, **changes)  # type: ignore[arg-type]


def _with_gas(dice: random.Random, plan: Transaction) -> Transaction:
    return dataclasses.replace(
        plan, gas_limit=dice.choice((0, 20_999, 21_000 + 3 * len(plan.data), 2**40, 2**63))
    )


def _over_cap(dice: random.Random, plan: Transaction) -> Transaction:
    return dataclasses.replace(plan, gas_limit=_TX_GAS_CAP + dice.choice((0, 1)))


def _long_initcode(dice: random.Random, plan: Transaction) -> Transaction:
    data = bytes(_MAX_INITCODE_BYTES + dice.choice((0, 1)))
    return dataclasses.replace(plan, kind=min(plan.kind, 2), to=b"", data=data, gas_limit=900_000,
    access_list=(),
                               authorizations=(), blob_hashes=())  # fmt: skip


def _blob(dice: random.Random, plan: Transaction) -> Transaction:
    to = plan.to or addresses.ABSENT
    plan = dataclasses.replace(plan, kind=3, to=to, chain_id=1, authorizations=())
    hashes = (b"\x01" + bytes(31),)
    return dice.choice(
        (
            dataclasses.replace(plan, blob_hashes=()),
            dataclasses.replace(plan, blob_hashes=(b"\x02" + bytes(31),)),
            dataclasses.replace(plan, blob_hashes=hashes * dice.choice((7, 10, 16, 22))),
            dataclasses.replace(plan, blob_hashes=hashes, blob_fee_surplus=-1),
            dataclasses.replace(plan, blob_hashes=hashes, to=b""),
        )
    )


def _set_code(dice: random.Random, plan: Transaction) -> Transaction:
    authorization = Authorization(addresses.AUTHORITIES[0], addresses.CONTRACTS[0])
    plan = dataclasses.replace(plan, kind=4, chain_id=1, blob_hashes=(), gas_limit=plan.gas_limit + 50_000)
    if dice.random() < 0.5:
        return dataclasses.replace(plan, to=plan.to or addresses.ABSENT, authorizations=())
    return dataclasses.replace(plan, to=b"", authorizations=(authorization,))


def _retyped(dice: random.Random, plan: Transaction) -> Transaction:
    """A later type than the fork may know; whether it does is the specification's business."""
    kind = dice.choice((1, 2, 3, 4))
    authorization = Authorization(addresses.AUTHORITIES[1], addresses.CONTRACTS[0])
    return dataclasses.replace(
        plan, kind=kind, chain_id=1, to=plan.to or addresses.ABSENT, blob_hashes=(b"\x01" * 32,),
        authorizations=(authorization,), gas_limit=plan.gas_limit + 60_000,
    )  # fmt: skip


_SPOILERS: tuple[_Spoiler, ...] = (
    _spoil(nonce_shift=-1),
    _spoil(nonce_shift=1),
    _spoil(nonce_fixed=MAX_UINT64),
    _spoil(nonce_fixed=MAX_UINT64 - 1),
    _spoil(secret=addresses.SPENT_SENDER),
    _spoil(secret=addresses.CONTRACT_SENDER),
    _spoil(value=10**25),
    _spoil(value=MAX_UINT256),
    _spoil(fee_surplus=10**24, tip=0),
    _spoil(fee_surplus=2**250),
    _spoil(fee_surplus=-1, tip=0),
    _spoil(fee_surplus=0, tip=2**64),
    _spoil(chain_id=2),
    _spoil(flaw="high_s"),
    _spoil(flaw="zero_r"),
    _spoil(flaw="huge_r"),
    _spoil(flaw="bad_parity"),
    _spoil(flaw="unknown_type", kind=2, chain_id=1),
    _with_gas,
    _with_gas,
    _over_cap,
    _long_initcode,
    _blob,
    _blob,
    _set_code,
    _retyped,
    lambda dice, plan: dataclasses.replace(
        plan, secret=addresses.SENDERS[0], to=address_of(addresses.SPENT_SENDER)
    ),
)
