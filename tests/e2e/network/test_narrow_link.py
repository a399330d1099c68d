"""Two of four validators behind a line of 10 Mbit/s, which full blocks and a flood of transactions share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coc.adapters.constructor_runner import run_constructor
from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.genesis_bft import BftParameters
from coc.execution.network_genesis import FUNDED_WEI, NetworkGenesis, network_genesis
from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import Secret, address_of, sign
from tests.e2e.network.accounts import CHAIN_ID, GAS_PRICE_WEI
from tests.e2e.network.decisions import ledgers_of, offences, verify
from tests.e2e.network.namespaces import Namespace, namespace
from tests.e2e.network.network_process import (
    DEV_ACCOUNTS,
    Member,
    Network,
    Place,
    assert_nobody_is_accused,
    founder,
)

pytestmark = pytest.mark.alone

LINE_MEGABITS = 10
PAYLOAD_BYTES = 100_000
PAYLOAD_GAS = 1_030_000
"""A transaction with so many zero bytes costs 1,021,000 (EIP-7623)."""
PAYLOADS_PER_BLOCK = 2
BLOCK_GAS = PAYLOADS_PER_BLOCK * PAYLOAD_GAS
PAYLOADS_PER_ACCOUNT = 12
"""12 MB together, twice over the line: twenty seconds of it, if nothing else went there."""
UNHURRIED = BftParameters(propose_ms=6_000, vote_ms=2_000)
"""A block of 200 KB has its turn on the line within these, on a machine with other things to do too."""
SECRETS = dev_secrets(DEV_MNEMONIC, DEV_ACCOUNTS)
HEIGHTS = 8
"""Two turns of each validator."""


@pytest.fixture
def village() -> Iterator[Namespace]:
    """Where two validators live, behind the one line."""
    with namespace() as made:
        made.narrow(LINE_MEGABITS)
        yield made


def payload(secret: Secret, nonce: int) -> str:
    """A transaction that is heavy to carry."""
    fields: list[rlp.Encodable] = [nonce, GAS_PRICE_WEI, PAYLOAD_GAS, bytes(20), 0, bytes(PAYLOAD_BYTES)]
    signature = sign(secret, keccak256(rlp.encode([*fields, CHAIN_ID, 0, 0])))
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    return f"0x{rlp.encode([*fields, CHAIN_ID * 2 + 35 + signature[64], r, s]).hex()}"


def flood(member: Member) -> None:
    """Hand a node all of it at once; its peers fetch it."""

    def send(secret: Secret) -> None:
        for nonce in range(PAYLOADS_PER_ACCOUNT):
            member.rpc("eth_sendRawTransaction", payload(secret, nonce))

    with ThreadPoolExecutor(2) as senders:
        list(senders.map(send, SECRETS))


def small_blocks() -> bytes:
    """A genesis whose blocks have room for so many payloads."""
    registry, accounts = RegistryParameters(), [address_of(each) for each in SECRETS]
    founders = [founder(number, accounts[number], registry) for number in range(4)]
    balances = dict.fromkeys(accounts, FUNDED_WEI)
    chosen = NetworkGenesis(
        founders, registry, balances, timestamp=int(time.time()), bft=UNHURRIED, gas_limit=BLOCK_GAS
    )
    return network_genesis(chosen, run_constructor)


@pytest.fixture
def four(tmp_path: Path, village: Namespace) -> Iterator[Network]:
    """Four validators that run: two at the near end of the line, two at the far one."""
    made = Network(tmp_path / "net", small_blocks(), 4)
    for member in made.members:
        member.place = Place(village.gateway) if member.number < 2 else village.place
    try:
        made.initialise(made.members)
        made.start()
        yield made
    finally:
        made.kill_all()


def next_heights(four: Network) -> range:
    """So many heights that nobody has begun yet."""
    first = max(each.height() for each in four.members) + 2
    return range(first, first + HEIGHTS)


def test_full_blocks_and_a_flood_of_transactions_on_a_narrow_line_cost_no_round(
    four: Network, village: Namespace
) -> None:  # WIRE-8, WIRE-9
    four.until_height(1)
    quiet = next_heights(four)
    four.until_height(quiet.stop)

    flood(four[0])
    before = village.bytes_in()
    busy = next_heights(four)
    four.until_height(busy.stop)
    carried = village.bytes_in() - before
    used = [int(four[0].block(height)["gasUsed"], 16) for height in busy]
    four.stop()

    ledger = ledgers_of(four)[0]
    verify(ledger)
    assert_nobody_is_accused(four.members)
    assert sum(used) > 0.8 * BLOCK_GAS * len(busy)  # one behind the line may lack a payload when it proposes
    assert carried > 2 * len(busy) * PAYLOADS_PER_BLOCK * PAYLOAD_BYTES  # both have the blocks, and more
    rounds = {height: ledger.round_of(height) for height in (*quiet, *busy)}
    assert rounds == dict.fromkeys((*quiet, *busy), 0)
    assert offences([ledger]) == []
