"""One pass of a fork's block execution in which transactions may fail, and single transactions alone."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from . import eels, rlp
from .blocks import BlockBody, HeaderFields, keccak256
from .eels import REFUSALS, Refused, judgement, quantity
from .networks import Fork
from .oracle import Specification, block_environment, requests_hash, specification
from .plan import CHAIN_ID, Account, Environment

Candidates: TypeAlias = "Callable[[Callable[[bytes], int]], Iterator[rlp.Item]]"
"""Given a function that reads an account's nonce now, yields one encoded transaction after another."""


class BlockRefused(Refused):
    """A block is refused for what is not one transaction's fault; ``body`` is the body that led there."""

    def __init__(self, reason: str, body: BlockBody) -> None:
        Exception.__init__(self, reason)
        self.reason = reason
        self.body = body


@dataclasses.dataclass(frozen=True, slots=True)
class Rejection:
    """A transaction that cannot stand at this place of its block, and why."""

    item: rlp.Item
    position: int
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What executing a body yields: the header fields that follow, the body without what was rejected."""

    fields: HeaderFields
    body: BlockBody
    rejected: tuple[Rejection, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class StateOutcome:
    """Result of a single transaction: state root and hash of its logs, and why it was refused if it was."""

    state_root: bytes
    logs_hash: bytes
    refused: str | None
    accounts: dict[bytes, Account]


class Trial:
    """One pass of a fork's ``apply_body`` in which single transactions may fail.

    The fork's loop pulls transactions from a generator and calls ``process_transaction``; a wrapper around
    that takes back what a rejected transaction touched and numbers the accepted ones.
    """

    def __init__(self, spec: Specification, chain: Any, block: Any) -> None:
        self.spec = spec
        self.chain = chain
        self.block = block
        self.accepted: list[rlp.Item] = []
        self.rejected: list[Rejection] = []
        self._current: rlp.Item = b""
        self._original: Any = spec.rules.process_transaction

    def run(self, candidates: Candidates) -> Any:
        """The fork's block output."""
        arguments = {
            "block_env": block_environment(self.spec, self.chain, self.block.header),
            "transactions": self._decoded(candidates(self._nonce_of)),
            "ommers": self.block.ommers,
            "withdrawals": getattr(self.block, "withdrawals", None),
        }
        wanted = inspect.signature(self.spec.rules.apply_body).parameters
        self.spec.rules.process_transaction = self._process
        try:
            return self.spec.rules.apply_body(**{name: arguments[name] for name in wanted})
        finally:
            self.spec.rules.process_transaction = self._original

    def _nonce_of(self, address: bytes) -> int:
        account = self.spec.state.get_account(self.chain.state, self.spec.types.Address(address))
        return int(account.nonce)

    def _decoded(self, raws: Iterator[rlp.Item]) -> Iterator[Any]:
        for raw in raws:
            self._current = raw
            try:
                decoded = self.spec.decode_transaction(raw)
            except REFUSALS as error:
                self._reject(error)
                continue
            yield eels.strings.Bytes(raw) if isinstance(raw, bytes) else decoded

    def _reject(self, error: Exception) -> None:
        self.rejected.append(Rejection(self._current, len(self.accepted), Refused(error).reason))

    def _process(self, block_env: Any, block_output: Any, tx: Any, index: Any) -> None:
        state, trie = block_env.state, self.spec.trie
        main = trie.copy_trie(state._main_trie)
        storage = {address: trie.copy_trie(slots) for address, slots in state._storage_tries.items()}
        transactions = trie.copy_trie(block_output.transactions_trie)
        try:
            self._original(block_env, block_output, tx, quantity(len(self.accepted)))
        except REFUSALS as error:
            state._main_trie, state._storage_tries = main, storage
            block_output.transactions_trie = transactions
            self._reject(error)
        else:
            self.accepted.append(self._current)


def results(spec: Specification, chain: Any, block: Any, output: Any) -> HeaderFields:
    bloom_module: Any = import_module(f"ethereum.forks.{spec.fork.module}.bloom")
    root = spec.trie.root
    fields: HeaderFields = {
        "ommers_hash": keccak256(bytes(eels.encoding.encode(block.ommers))),
        "state_root": bytes(spec.state.state_root(chain.state)),
        "transactions_root": bytes(root(output.transactions_trie)),
        "receipt_root": bytes(root(output.receipts_trie)),
        "bloom": bytes(bloom_module.logs_bloom(output.block_logs)),
        "gas_used": int(output.block_gas_used),
    }
    if spec.has("withdrawals_root"):
        fields["withdrawals_root"] = bytes(root(output.withdrawals_trie))
    if spec.has("blob_gas_used"):
        fields["blob_gas_used"] = int(output.blob_gas_used)
    if spec.has("requests_hash"):
        fields["requests_hash"] = requests_hash([bytes(request) for request in output.requests])
    return fields


def run_state_test(
    fork: Fork, accounts: Mapping[bytes, Account], around: Environment, raw: rlp.Item
) -> StateOutcome:
    """Execute one encoded transaction outside any block, as state tests do: no rewards, no system calls.

    Hashes of earlier blocks are those the format prescribes, keccak of the height in decimal.
    """
    spec = specification(fork)
    state = spec.new_state(accounts)
    heights = range(max(0, around.number - 256), around.number)
    environment = spec.environment(
        chain_id=eels.numeric.U64(CHAIN_ID),
        state=state,
        block_gas_limit=quantity(around.gas_limit),
        block_hashes=[eels.hashing.Hash32(keccak256(str(height).encode())) for height in heights],
        coinbase=spec.types.Address(around.coinbase),
        number=quantity(around.number),
        time=eels.numeric.U256(around.timestamp),
        difficulty=quantity(around.difficulty),
        base_fee_per_gas=quantity(around.base_fee),
        prev_randao=eels.strings.Bytes32(around.random),
        excess_blob_gas=eels.numeric.U64(around.excess_blob_gas),
        parent_beacon_block_root=eels.hashing.Hash32(bytes(32)),
    )
    output = spec.vm.BlockOutput()
    refused = None
    try:
        with judgement():
            spec.rules.process_transaction(environment, output, spec.decode_transaction(raw), quantity(0))
    except Refused as refusal:
        refused, state, output = refusal.reason, spec.new_state(accounts), spec.vm.BlockOutput()
    logs = keccak256(bytes(eels.encoding.encode(output.block_logs)))
    return StateOutcome(bytes(spec.state.state_root(state)), logs, refused, spec.read(state))
