"""A chain that real validators made in the simulator, whose set changed by transactions; made once a process.

Periods have eight blocks. A fifth validator registers in period 0 and so votes from period 2 on (it has no
node: the others go on without it, in later rounds where it was to propose). The first one asks to leave in
period 2, and is gone from period 4 on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from coc._native import Chain, sign_transaction
from coc.adapters.finality_files import provable_chain
from coc.consensus.finality.build import Provable
from coc.consensus.finality.checkpoint import Checkpoint
from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.contracts.operator_calls import register_call, registration_digest, request_exit_call
from coc.execution.genesis import Genesis, read_genesis
from coc.primitives.consensus_data import decode_consensus_data
from coc.primitives.secp256k1 import address_of, public_key_of, sign
from coc.primitives.types import ChainId, Hash32, Height
from coc.primitives.units import ETHER
from coc.primitives.validators import Validator
from coc.sim.full.network import (
    CHAIN_ID,
    FEE_CAP_WEI,
    REGISTRY,
    Network,
    chain_file,
    client_secret,
    validator_secret,
)
from coc.sim.full.plan import calm_plan

SEED = 11
VALIDATORS = 4
NEWCOMER = VALIDATORS
STAKE_WEI = 32 * ETHER
PERIOD = REGISTRY.period_blocks
JOINED = 2 * PERIOD
"""First block on which the newcomer votes."""
LEFT = 4 * PERIOD
"""First block on which the first validator no longer does."""
HEIGHT = LEFT + PERIOD
PATIENCE_MS = 300_000


@dataclass(frozen=True, slots=True)
class History:
    """The chain as the first node keeps it."""

    chain: Chain
    genesis: Genesis
    provable: Provable

    @property
    def genesis_hash(self) -> Hash32:
        return self.provable.rules.genesis_hash

    def hash_at(self, height: int) -> bytes:
        found = self.chain.canonical_hash(height)
        assert found is not None
        return found

    def checkpoint(self, height: int) -> Checkpoint:
        header = self.chain.header(self.hash_at(height))
        assert header is not None
        next_set_hash = decode_consensus_data(header.consensus_data).next_validators.hash()
        return Checkpoint(
            self.genesis_hash, Height(height), Hash32(header.hash), next_set_hash, header.timestamp
        )

    def copy_into(self, folder: Path) -> None:
        """The same blocks, executed and decided again in a data folder."""
        other = Chain.open(self.genesis.text, str(folder), b"")
        for height in range(1, HEIGHT + 1):
            hash_ = self.hash_at(height)
            block, header = self.chain.block_rlp(hash_), self.chain.header(hash_)
            assert block is not None
            assert header is not None
            other.decide(other.execute(block, header.consensus_data), header.seal, durable=False)
        other.close()


@cache
def history() -> History:
    """The chain up to `HEIGHT`."""
    network = Network(calm_plan(SEED, VALIDATORS))
    world, first = network.world, network.nodes[0]
    for node in network.nodes:
        world.after(0, node.start)
    _run_until(network, lambda: first.height >= 2)
    first.submit(_signed(NEWCOMER, _registration(), STAKE_WEI))
    _run_until(network, lambda: first.height >= JOINED)
    first.submit(_signed(0, request_exit_call(address_of(validator_secret(0))), 0))
    _run_until(network, lambda: first.height >= HEIGHT)
    genesis = read_genesis(chain_file((1,) * VALIDATORS).text)
    return History(first.chain, genesis, provable_chain(first.chain, genesis))


def _run_until(network: Network, is_done: Callable[[], bool]) -> None:
    assert network.world.run_until(network.world.now_ms + PATIENCE_MS, is_done)


def _registration() -> bytes:
    key = public_key_of(validator_secret(NEWCOMER))
    fees = address_of(client_secret(NEWCOMER))
    validator = Validator(address_of(validator_secret(NEWCOMER)), key, key, 0, fees)
    digest = registration_digest(ChainId(CHAIN_ID), address_of(client_secret(NEWCOMER)), key, fees)
    return register_call(validator, sign(validator_secret(NEWCOMER), digest))


def _signed(client: int, calldata: bytes, value_wei: int) -> bytes:
    """A client's first transaction; the operator of a validator is the client of its number."""
    unsigned = {
        "type": "0x2",
        "chainId": hex(CHAIN_ID),
        "nonce": "0x0",
        "to": f"0x{VALIDATOR_REGISTRY.hex()}",
        "value": hex(value_wei),
        "gas": hex(1_000_000),
        "maxFeePerGas": hex(FEE_CAP_WEI),
        "maxPriorityFeePerGas": hex(10**9),
        "input": f"0x{calldata.hex()}",
        "accessList": [],
    }
    return sign_transaction(client_secret(client), msgspec.json.encode(unsigned))
