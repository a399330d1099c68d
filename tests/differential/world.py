"""The pre-state of a random case: senders, contracts with random programs, empty and system accounts."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

from . import addresses, programs, rlp
from .blocks import keccak256
from .curves import address_of
from .networks import Fork, Network
from .plan import MAX_UINT64, Account
from .scenarios import random_scenario
from .values import SLOTS

RICH = 10**24
"""Balance of a sender in wei, enough for every fee."""

_ODD_SYSTEM_CODE = (
    bytes.fromhex("60006000fd"),  # reverts
    bytes.fromhex("fe"),  # fails
    bytes.fromhex("00"),
    bytes.fromhex("6007600355604c6000f3"),  # stores and returns one request of zeros
    bytes.fromhex("4360015560006000a060016000f3"),  # stores the height, logs, returns one byte
)
"""What may stand at a system contract's address instead. None of it destroys anything: what a system call
destroys is a matter the specification leaves out, and no real chain can come to it."""

_IN_THE_WAY = Account(balance=1, storage=((1, 1),))
"""Neither code nor nonce, but storage: whoever would be created there collides (EIP-7610)."""


def random_accounts(dice: random.Random, network: Network) -> dict[bytes, Account]:
    """Accounts for a network, programs in the style of its newest fork."""
    fork = network.last
    accounts: dict[bytes, Account] = {}
    for secret in addresses.SENDERS:
        poor = dice.random() < 0.03
        accounts[address_of(secret)] = Account(balance=dice.randrange(10**6) if poor else RICH)
    for contract in addresses.CONTRACTS:
        accounts[contract] = _contract(dice, fork)
    accounts[addresses.COINBASE] = Account(balance=1)
    accounts |= _odd_ones(dice, network)
    accounts |= _system_contracts(dice, network)
    if network.second == Fork.DAO:
        accounts |= _dao_accounts(dice)
    return accounts


def _contract(dice: random.Random, fork: Fork) -> Account:
    if dice.random() < 0.3:
        code = random_scenario(dice, fork)
    else:
        code = programs.random_program(dice, fork, dice.randrange(1, 14))
    storage = tuple((slot, dice.randrange(1, 4)) for slot in range(SLOTS) if dice.random() < 0.3)
    nonce = MAX_UINT64 if dice.random() < 0.01 else dice.choice((0, 1, 1))
    return Account(balance=dice.choice((0, 5, 1000, 10**18)), nonce=nonce, code=code, storage=storage)


def _odd_ones(dice: random.Random, network: Network) -> dict[bytes, Account]:
    """Accounts for the corners of the rules."""
    accounts: dict[bytes, Account] = {}
    if network.first < Fork.SPURIOUS_DRAGON:
        accounts |= {address: Account() for address in addresses.EMPTY_ACCOUNTS if dice.random() < 0.7}
        accounts |= {addresses.address(n): Account() for n in (2, 3, 4) if dice.random() < 0.3}
    else:
        accounts |= {
            address: Account(balance=1) for address in addresses.EMPTY_ACCOUNTS if dice.random() < 0.2
        }
    if dice.random() < 0.2:
        accounts[addresses.address(3)] = Account(balance=1)
    if dice.random() < 0.05:
        accounts[_first_creation(dice.choice(addresses.SENDER_ADDRESSES))] = _IN_THE_WAY
    accounts[address_of(addresses.CONTRACT_SENDER)] = Account(balance=RICH, nonce=1, code=b"\x00")
    accounts[address_of(addresses.SPENT_SENDER)] = Account(balance=RICH, nonce=MAX_UINT64 - dice.randrange(2))
    for authority in addresses.AUTHORITY_ADDRESSES:
        if dice.random() < 0.6:
            accounts[authority] = Account(balance=dice.choice((1, RICH)), nonce=dice.randrange(3))
        elif network.first >= Fork.PRAGUE and dice.random() < 0.5:
            target = dice.choice((*addresses.CONTRACTS, addresses.address(2), *addresses.AUTHORITY_ADDRESSES))
            accounts[authority] = Account(balance=RICH, nonce=1, code=b"\xef\x01\x00" + target)
    return accounts


def _first_creation(sender: bytes) -> bytes:
    """Where the sender's first transaction would create a contract."""
    return keccak256(rlp.encode([sender, b""]))[12:]


def _system_contracts(dice: random.Random, network: Network) -> dict[bytes, Account]:
    """The predeploys that the network will call; now and then one is missing or something else."""
    inhibited = ((0, addresses.EXCESS_INHIBITOR),) if dice.random() < 0.5 else ()
    predeploys = {
        addresses.BEACON_ROOTS: (Fork.CANCUN, Account(nonce=1, code=addresses.BEACON_ROOTS_CODE)),
        addresses.HISTORY: (Fork.PRAGUE, Account(nonce=1, code=addresses.HISTORY_CODE)),
        addresses.WITHDRAWAL_REQUESTS: (
            Fork.PRAGUE,
            Account(nonce=1, code=addresses.WITHDRAWAL_REQUESTS_CODE, storage=inhibited),
        ),
        addresses.CONSOLIDATION_REQUESTS: (
            Fork.PRAGUE,
            Account(nonce=1, code=addresses.CONSOLIDATION_REQUESTS_CODE, storage=inhibited),
        ),
        addresses.DEPOSITS: (Fork.PRAGUE, Account(nonce=1, code=programs.deposit_contract(dice))),
    }
    accounts = {}
    for address, (since, account) in predeploys.items():
        if network.last < since:
            continue
        match dice.randrange(50):
            case 0:
                continue
            case 1:
                accounts[address] = Account(nonce=1, code=dice.choice(_ODD_SYSTEM_CODE))
            case _:
                accounts[address] = account
    return accounts


def _dao_accounts(dice: random.Random) -> dict[bytes, Account]:
    """All accounts the DAO fork drains, and the one that receives; on mainnet each of them exists."""
    module: Any = import_module("ethereum.forks.dao_fork.dao")
    drained = [*module.DAO_ACCOUNTS, module.DAO_RECOVERY]
    return {bytes(address): Account(balance=dice.randrange(1, 10**18)) for address in drained}
