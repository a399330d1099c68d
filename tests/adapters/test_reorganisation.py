"""A chain of several validators takes blocks back: the real core, filters and pool, told by hand.

What the machine asks for (`Record`, `MoveHead`) is done here by calls on the native chain, so that the test
shows what a client sees of it: tags, state, index, `removed: true`, a transaction that waits again.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest

from coc._native import Chain, sign_transaction
from coc.adapters.chain_port import pool_head
from coc.consensus.rotation.slots import RotationRules
from coc.consensus.rotation.verify import ParentFacts, RotationInvalid, SealedBlock, verify_block
from coc.execution.dev_genesis import alloc_of, config_with, genesis_text, validator_json
from coc.execution.genesis import read_genesis
from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.effects import Added
from coc.execution.mempool.inputs import Account, HeadChanged
from coc.execution.mempool.pool import Mempool
from coc.node.judging import candidates_of
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.keccak import keccak256
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.seals import Seal, SignRequest, Step
from coc.primitives.secp256k1 import address_of, sign
from coc.primitives.types import Address, Hash32, Height, Millis, Wei
from coc.rpc.dispatch import Dispatcher
from coc.rpc.faults import Translator
from coc.rpc.filters import FilterBook
from coc.rpc.methods import Context, Services, Settings
from coc.rpc.table import DEVELOPMENT
from tests.adapters.sealed_chain import validator_of
from tests.rpc.fakes import FAULTS, FakeSealer, Node, planned_errors_only

*VALIDATORS, CLIENT = dev_secrets(DEV_MNEMONIC, 4)
GENESIS_TIME_S = 1_700_000_000
LOGS_ONCE = "0x60006000a0"
"""Code that logs nothing, once."""


class Branches:
    """A chain of three validators, on whose blocks others are built wherever a test wants."""

    def __init__(self) -> None:
        self.members = [validator_of(secret) for secret in VALIDATORS]
        section: dict[str, Any] = {
            "engine": "rotation",
            "validators": [validator_json(each) for each in self.members],
            "blockIntervalSeconds": 1,
            "gasLimitTarget": 30_000_000,
        }
        alloc = alloc_of([address_of(CLIENT)], Wei(10**21))
        text = genesis_text(config_with(31_337, section), alloc, 30_000_000, GENESIS_TIME_S)
        genesis = read_genesis(text)
        assert genesis.coc is not None
        self.chain: Any = Chain.open(genesis.text, None, b"{}")
        self.rules = RotationRules(Hash32(self.chain.genesis_hash), GENESIS_TIME_S, 1, genesis.coc.validators)

    def make(self, parent: bytes, slot: int, raws: Iterable[bytes] = (), signer: int | None = None) -> Hash32:
        """A block of the slot's proposer, executed, held to the rules, and in the log as the head."""
        header = self.chain.header(parent)
        proposer = self.rules.proposer(slot)
        members = self.rules.validators
        data = ConsensusData(header.seal, proposer.id, slot, members, members).encode()
        attributes = {
            "timestamp": self.rules.begins_s(slot),
            "coinbase": f"0x{proposer.fee_recipient.hex()}",
            "gas_limit_target": 30_000_000,
            "consensus_data": f"0x{data.hex()}",
        }
        transactions = [entry[0] for entry in self.chain.admit(parent, list(raws))]
        built = self.chain.build(parent, json.dumps(attributes).encode(), transactions, None)
        assert self.chain.execute(built.block_rlp, data) == built.hash
        height = Height(header.number + 1)
        request = SignRequest(self.rules.genesis_hash, height, slot, Step.PROPOSAL, Hash32(built.hash))
        secret = VALIDATORS[slot % 3 if signer is None else signer]
        seal = Seal(slot, sign(secret, request.digest())).encode()
        made = self.chain.header(built.hash)
        verify_block(
            self.rules,
            ParentFacts(Height(header.number), header.timestamp, header.seal, Hash32(parent)),
            SealedBlock(
                Hash32(built.hash), height, made.timestamp, Address(made.coinbase), made.consensus_data, seal
            ),
        )
        self.chain.decide(built.hash, seal)
        return Hash32(built.hash)

    def client_sends(self, nonce: int, **fields: str | None) -> bytes:
        """A signed transaction of the client: it makes a contract whose making logs."""
        unsigned: dict[str, Any] = {
            "type": "0x2",
            "chainId": hex(31_337),
            "nonce": hex(nonce),
            "to": None,
            "value": "0x0",
            "gas": hex(100_000),
            "maxFeePerGas": hex(10**11),
            "maxPriorityFeePerGas": hex(10**9),
            "input": LOGS_ONCE,
            "accessList": [],
        }
        return sign_transaction(CLIENT, json.dumps(unsigned | fields).encode())


@pytest.fixture
def branches() -> Branches:
    return Branches()


def client_of(branches: Branches) -> Node:
    """Somebody who asks by JSON-RPC."""
    node = Node()
    ids = itertools.count(1)
    services = Services(
        chain=branches.chain,
        pool=node.pool,
        accounts=node.accounts,
        sealer=FakeSealer(node.chain),
        status=node.status,
        keccak256=keccak256,
    )
    node.context = Context(services, FilterBook(lambda: next(ids)), Settings())
    guard = planned_errors_only(Translator(FAULTS, node.defects.append))
    node.dispatcher = Dispatcher(DEVELOPMENT, node.context, guard)
    return node


def test_a_longer_branch_takes_blocks_back_in_state_index_and_filters(branches: Branches) -> None:  # FC-2
    chain, client = branches.chain, client_of(branches)
    raw = branches.client_sends(0)
    logs, blocks = client.ask("eth_newFilter", {}), client.ask("eth_newBlockFilter")
    ours = branches.make(chain.genesis_hash, 1, [raw])
    transaction = f"0x{keccak256(raw).hex()}"
    assert client.ask("eth_getTransactionReceipt", transaction)["blockHash"] == f"0x{ours.hex()}"
    (seen,) = client.ask("eth_getFilterChanges", logs)
    assert (seen["removed"], client.ask("eth_getFilterChanges", blocks)) == (False, [f"0x{ours.hex()}"])

    first = branches.make(chain.genesis_hash, 2)
    second = branches.make(first, 3)

    assert [chain.canonical_hash(number) for number in range(1, 4)] == [first, second, None]
    assert chain.account(chain.head.hash, address_of(CLIENT))[0] == 0
    assert client.ask("eth_getTransactionReceipt", transaction) is None
    (removed,) = client.ask("eth_getFilterChanges", logs)
    assert removed == {**seen, "removed": True}
    assert client.ask("eth_getFilterChanges", blocks) == [f"0x{each.hex()}" for each in (first, second)]

    again = branches.make(second, 4, [raw])
    (back,) = client.ask("eth_getFilterChanges", logs)
    assert (back["removed"], back["blockHash"]) == (False, f"0x{again.hex()}")


def test_tags_stay_where_finality_is_while_the_head_moves(branches: Branches) -> None:  # ROT-21, ROT-22
    chain, client = branches.chain, client_of(branches)
    final = branches.make(chain.genesis_hash, 1)
    safe = branches.make(final, 2)
    chain.set_finalized(safe, final)
    branches.make(safe, 3)
    other = branches.make(safe, 4)
    newest = branches.make(other, 5)

    shown = {
        tag: client.ask("eth_getBlockByNumber", tag, False)["hash"] for tag in ("finalized", "safe", "latest")
    }

    assert shown == {
        "finalized": f"0x{final.hex()}",
        "safe": f"0x{safe.hex()}",
        "latest": f"0x{newest.hex()}",
    }


def test_a_transaction_of_a_block_taken_back_waits_again(branches: Branches) -> None:
    chain = branches.chain
    raw = branches.client_sends(0)
    pool = Mempool(pool_head(chain), PoolLimits(), has_journal=False)
    branches.make(chain.genesis_hash, 1, [raw])
    first = branches.make(chain.genesis_hash, 2)
    second = branches.make(first, 3)

    orphaned = [each for each in candidates_of(chain.admit(second, [raw])) if not isinstance(each, Exception)]
    changed = {Address(address_of(CLIENT)): Account(0, 10**21)}
    effects = pool.step(Millis(0), HeadChanged(pool_head(chain), changed, (), orphaned))

    assert [each.transaction.raw for each in effects if isinstance(each, Added)] == [raw]
    assert [each.raw for each in pool.best()] == [raw]
    assert chain.transaction_hashes(branches.make(second, 4, [raw])) == [keccak256(raw)]


def test_a_branch_that_was_left_can_be_taken_up_again(branches: Branches) -> None:  # FC-6
    chain = branches.chain
    left = branches.make(chain.genesis_hash, 1, [branches.client_sends(0)])
    branches.make(branches.make(chain.genesis_hash, 2), 3)
    longer = branches.make(branches.make(left, 4), 5)

    assert chain.head.hash == longer
    assert chain.canonical_hash(1) == left
    assert chain.account(longer, address_of(CLIENT))[0] == 1


def test_the_core_builds_what_the_rules_then_refuse_to_a_stranger(
    branches: Branches,
) -> None:  # ROT-2, ROT-14
    with pytest.raises(RotationInvalid, match="signer"):
        branches.make(branches.chain.genesis_hash, 1, signer=2)
