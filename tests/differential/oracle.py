"""The oracle: a fork of the executable specification (EELS) behind plain types.

EELS keeps each fork as a package of its own with its own classes, checks proof of work, and mainnet's
activation heights are constants in it. Test networks differ, and only this is altered here:

* proof of work is not checked (``sealEngine: NoProof``);
* the heights of the two forks whose rules name their own height (DAO, London) are those of the network;
* accounts are carried over into the next fork's classes when the rules change;
* a parent of an earlier fork still has its blob gas (EIP-7691 keeps what EIP-4844 counted; EELS alone cannot
  tell, because it compares the header's class);
* a typed transaction for another chain is refused. EELS 2.20 signs over ``chain_id`` but never compares it;
  EIP-2718's types say the transaction is valid on that chain only, and every client refuses it;
* the exemption of address 3 from the reverting of touches (mainnet's block 2675119, kept by all clients) also
  holds when the whole transaction fails. EELS applies it to inner frames only; geth's journal and revm's
  apply it always. No chain of today has an empty account there.

Everything that leaves this module is bytes, integers or plain dictionaries.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from . import eels, rlp
from .eels import judgement, quantity
from .networks import Fork
from .plan import Account

_RIPEMD = bytes(19) + b"\x03"


class Specification:
    """The modules of one fork."""

    def __init__(self, fork: Fork) -> None:
        package = f"ethereum.forks.{fork.module}"
        self.fork = fork
        self.rules: Any = import_module(f"{package}.fork")
        self.blocks: Any = import_module(f"{package}.blocks")
        self.transactions: Any = import_module(f"{package}.transactions")
        self.state: Any = import_module(f"{package}.state")
        self.trie: Any = import_module(f"{package}.trie")
        self.types: Any = import_module(f"{package}.fork_types")
        self.vm: Any = import_module(f"{package}.vm")
        self.gas: Any = import_module(f"{package}.vm.gas")
        self.header_names = tuple(field.name for field in dataclasses.fields(self.blocks.Header))
        self._patch()

    def _patch(self) -> None:
        self.recover_sender_of_any_chain: Any = self.rules.recover_sender
        if hasattr(self.rules, "validate_proof_of_work"):
            self.rules.validate_proof_of_work = lambda header: None
        if Fork.SPURIOUS_DRAGON <= self.fork < Fork.PARIS:
            _keep_ripemd_touched(
                self.rules, import_module(f"ethereum.forks.{self.fork.module}.vm.interpreter")
            )
        if self.fork >= Fork.BERLIN:
            self.rules.recover_sender = _checking_chain_id(self.rules.recover_sender)
        if self.fork > Fork.CANCUN:
            blob_forks = [Fork(level) for level in range(Fork.CANCUN, self.fork + 1)]
            modules = [import_module(f"ethereum.forks.{fork.module}.blocks") for fork in blob_forks]
            self.gas.Header = tuple(module.Header for module in modules)

    def has(self, name: str) -> bool:
        """Whether the fork's headers have this field."""
        return name in self.header_names

    def decode(self, raw: bytes) -> Any:
        """Decode a block of this fork. Raises Refused where the bytes do not encode one."""
        with judgement():
            return eels.encoding.decode_to(self.blocks.Block, raw)

    def decode_transaction(self, raw: rlp.Item) -> Any:
        """Decode a transaction as it stands in a block. Raises what EELS raises."""
        if isinstance(raw, bytes):
            if not hasattr(self.transactions, "decode_transaction"):
                raise eels.exceptions.InvalidTransaction("typed transactions do not exist yet")
            return self.transactions.decode_transaction(eels.strings.Bytes(raw))
        kind = getattr(self.transactions, "LegacyTransaction", None) or self.transactions.Transaction
        return eels.encoding.decode_to(kind, rlp.encode(raw))

    def new_state(self, accounts: Mapping[bytes, Account]) -> Any:
        """A state with these accounts."""
        state = self.state.State()
        for address, account in accounts.items():
            self.state.set_account(
                state,
                self.types.Address(address),
                self.types.Account(
                    nonce=quantity(account.nonce),
                    balance=eels.numeric.U256(account.balance),
                    code=eels.strings.Bytes(account.code),
                ),
            )
            for slot, value in account.storage:
                key = eels.strings.Bytes32(slot.to_bytes(32, "big"))
                self.state.set_storage(state, self.types.Address(address), key, eels.numeric.U256(value))
        return state

    def adopt(self, other: Any) -> Any:
        """A copy of any fork's state in this fork's classes."""
        state = self.state.State()
        accounts = {
            address: self.types.Account(nonce=account.nonce, balance=account.balance, code=account.code)
            for address, account in other._main_trie._data.items()
            if account is not None
        }
        state._main_trie._data.update(accounts)
        for address, trie in other._storage_tries.items():
            copy = self.trie.Trie(secured=True, default=eels.numeric.U256(0))
            copy._data.update(trie._data)
            state._storage_tries[address] = copy
        return state

    def read(self, state: Any) -> dict[bytes, Account]:
        """All accounts of a state."""
        result = {}
        for address, account in sorted(state._main_trie._data.items()):
            trie = state._storage_tries.get(address)
            slots = sorted(trie._data.items()) if trie else []
            storage = tuple((int.from_bytes(slot, "big"), int(value)) for slot, value in slots)
            result[bytes(address)] = Account(
                balance=int(account.balance),
                nonce=int(account.nonce),
                code=bytes(account.code),
                storage=storage,
            )
        return result

    def environment(self, **values: Any) -> Any:
        """A block environment from those of the values that this fork knows."""
        names = {field.name for field in dataclasses.fields(self.vm.BlockEnvironment)}
        return self.vm.BlockEnvironment(**{name: value for name, value in values.items() if name in names})

    def blob_price(self, excess_blob_gas: int) -> int:
        """Price of one unit of blob gas in wei; 0 before Cancun."""
        if self.fork < Fork.CANCUN:
            return 0
        return int(self.gas.calculate_blob_gas_price(eels.numeric.U64(excess_blob_gas)))


def _keep_ripemd_touched(rules: Any, interpreter: Any) -> None:
    original, trace = interpreter.process_message_call, interpreter.evm_trace
    outermost: list[Any] = []

    def observe(evm: Any, event: Any, *arguments: Any, **named: Any) -> None:
        outermost[:] = [evm]
        trace(evm, event, *arguments, **named)

    def process_message_call(message: Any) -> Any:
        outermost.clear()
        output = original(message)
        if output.error and outermost:
            output.touched_accounts |= {one for one in outermost[0].touched_accounts if one == _RIPEMD}
        return output

    interpreter.evm_trace = observe
    rules.process_message_call = process_message_call


def _checking_chain_id(recover_sender: Any) -> Any:
    def recover(chain_id: Any, tx: Any) -> Any:
        if getattr(tx, "chain_id", chain_id) != chain_id:
            raise eels.exceptions.InvalidSignatureError("wrong chain id")
        return recover_sender(chain_id, tx)

    return recover


@cache
def specification(fork: Fork) -> Specification:
    """The modules of a fork, loaded and altered once."""
    return Specification(fork)


def requests_hash(requests: Sequence[bytes]) -> bytes:
    """Commitment to execution requests (EIP-7685); each begins with its type."""
    module: Any = import_module("ethereum.forks.prague.requests")
    return bytes(module.compute_requests_hash([eels.strings.Bytes(request) for request in requests]))


def block_difficulty(
    spec: Specification,
    number: int,
    timestamp: int,
    parent_timestamp: int,
    parent_difficulty: int,
    parent_has_ommers: bool,
) -> int:
    """Difficulty by the fork's formula, with its bomb."""
    formula: Callable[..., Any] = spec.rules.calculate_block_difficulty
    arguments = [
        quantity(number), eels.numeric.U256(timestamp), eels.numeric.U256(parent_timestamp),
        quantity(parent_difficulty), parent_has_ommers,
    ]  # fmt: skip
    return int(formula(*arguments[: len(inspect.signature(formula).parameters)]))


def block_environment(spec: Specification, chain: Any, header: Any) -> Any:
    """The environment in which a block with this header executes."""
    return spec.environment(
        chain_id=chain.chain_id,
        state=chain.state,
        block_gas_limit=header.gas_limit,
        block_hashes=spec.rules.get_last_256_block_hashes(chain),
        coinbase=header.coinbase,
        number=header.number,
        time=header.timestamp,
        difficulty=header.difficulty,
        base_fee_per_gas=getattr(header, "base_fee_per_gas", None),
        prev_randao=getattr(header, "prev_randao", None),
        excess_blob_gas=getattr(header, "excess_blob_gas", None),
        parent_beacon_block_root=getattr(header, "parent_beacon_block_root", None),
    )


def transactions_root(spec: Specification, transactions: Sequence[rlp.Item]) -> bytes:
    """Root of the trie of these encoded transactions."""
    trie = spec.trie.Trie(secured=False, default=None)
    for index, item in enumerate(transactions):
        value = item if isinstance(item, bytes) else rlp.encode(item)
        spec.trie.trie_set(trie, rlp.encode(rlp.quantity(index)), eels.strings.Bytes(value))
    return bytes(spec.trie.root(trie))
