"""The oracle: one thin adapter around the executable specification (EELS), the only place that imports it.

EELS keeps each fork as a package of its own with its own classes, checks proof of work, and mainnet's activation
heights are constants in it. Test networks differ, and only this is altered here:

* proof of work is not checked (``sealEngine: NoProof``);
* the heights of the two forks whose rules name their own height (DAO, London) are those of the network;
* accounts are carried over into the next fork's classes when the rules change;
* a parent of an earlier fork still has its blob gas (EIP-7691 keeps what EIP-4844 counted; EELS alone cannot
  tell, because it compares the header's class);
* a typed transaction for another chain is refused. EELS 2.20 signs over ``chain_id`` but never compares it;
  EIP-2718's types say the transaction is valid on that chain only, and every client refuses it.

Everything that leaves this module is bytes, integers or plain dictionaries.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from . import rlp
from .networks import Fork, Network
from .plan import CHAIN_ID, Account

HeaderFields: TypeAlias = "dict[str, bytes | int]"
"""A header by field name, in encoding order. Integers are quantities, everything else raw bytes."""

Candidates: TypeAlias = "Callable[[Callable[[bytes], int]], Iterator[rlp.Item]]"
"""Given a function that reads an account's nonce now, yields one encoded transaction after another."""

EMPTY_OMMERS_HASH = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")

_exceptions: Any = import_module("ethereum.exceptions")
_criteria: Any = import_module("ethereum.fork_criteria")
_hash: Any = import_module("ethereum.crypto.hash")
_numeric: Any = import_module("ethereum_types.numeric")
_bytes: Any = import_module("ethereum_types.bytes")
_rlp: Any = import_module("ethereum_rlp.rlp")
_rlp_errors: Any = import_module("ethereum_rlp.exceptions")


@dataclasses.dataclass(frozen=True, slots=True)
class BlockBody:
    """Transactions and ommers as RLP items, withdrawals likewise (None before Shanghai)."""

    transactions: tuple[rlp.Item, ...] = ()
    ommers: tuple[rlp.Item, ...] = ()
    withdrawals: tuple[rlp.Item, ...] | None = None

    def encode(self, fields: HeaderFields) -> bytes:
        """RLP of the whole block."""
        return rlp.encode(self.item(encode_header(fields)))

    def item(self, header: rlp.Item) -> list[rlp.Item]:
        """The block as nested lists."""
        tail = [] if self.withdrawals is None else [self.withdrawals]
        return [header, self.transactions, self.ommers, *tail]


class Refused(Exception):
    """The specification refuses a block or transaction; ``reason`` is the name and text of its exception."""

    def __init__(self, error: BaseException) -> None:
        self.reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        super().__init__(self.reason)


class Undefined(Exception):
    """The specification fell over instead of judging: such an input proves nothing and is thrown away."""


class BlockRefused(Refused):
    """A block is refused for what is not one transaction's fault; ``body`` is the body that led there."""

    def __init__(self, error: BaseException, body: BlockBody) -> None:
        super().__init__(error)
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
    requests: tuple[bytes, ...]
    rejected: tuple[Rejection, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class StateOutcome:
    """Result of a single transaction: state root and hash of its logs, and why it was refused if it was."""

    state_root: bytes
    logs_hash: bytes
    refused: str | None
    accounts: dict[bytes, Account]


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it."""
    return bytes(_hash.keccak256(data))


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
        if hasattr(self.rules, "validate_proof_of_work"):
            self.rules.validate_proof_of_work = lambda header: None
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
        try:
            return _rlp.decode_to(self.blocks.Block, raw)
        except (_rlp_errors.RLPException, _exceptions.EthereumException) as error:
            raise Refused(error) from error
        except Exception as error:
            raise Undefined(repr(error)) from error

    def new_state(self, accounts: Mapping[bytes, Account]) -> Any:
        """A state with these accounts."""
        state = self.state.State()
        for address, account in accounts.items():
            self.state.set_account(
                state,
                self.types.Address(address),
                self.types.Account(
                    nonce=_numeric.Uint(account.nonce),
                    balance=_numeric.U256(account.balance),
                    code=_bytes.Bytes(account.code),
                ),
            )
            for slot, value in account.storage:
                key = _bytes.Bytes32(slot.to_bytes(32, "big"))
                self.state.set_storage(state, self.types.Address(address), key, _numeric.U256(value))
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
            copy = self.trie.Trie(secured=True, default=_numeric.U256(0))
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
                balance=int(account.balance), nonce=int(account.nonce), code=bytes(account.code), storage=storage
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
        return int(self.gas.calculate_blob_gas_price(_numeric.U64(excess_blob_gas)))


def _checking_chain_id(recover_sender: Any) -> Any:
    def recover(chain_id: Any, tx: Any) -> Any:
        if getattr(tx, "chain_id", chain_id) != chain_id:
            raise _exceptions.InvalidSignatureError("wrong chain id")
        return recover_sender(chain_id, tx)

    return recover


@cache
def specification(fork: Fork) -> Specification:
    """The modules of a fork, loaded and altered once."""
    return Specification(fork)


class Ledger:
    """A chain as the specification sees it: blocks so far and the state after them. Never changed, only followed."""

    def __init__(self, network: Network, spec: Specification, chain: Any, total_difficulty: int) -> None:
        self.network = network
        self.spec = spec
        self.chain = chain
        self.total_difficulty = total_difficulty

    @classmethod
    def begin(cls, network: Network, accounts: Mapping[bytes, Account], chosen: HeaderFields) -> Ledger:
        """A chain of only block 0. ``chosen`` overrides header fields; roots of the empty body are filled in."""
        spec = specification(network.first)
        state = spec.new_state(accounts)
        empty_root = bytes(spec.trie.EMPTY_TRIE_ROOT)
        fields: HeaderFields = {
            "parent_hash": bytes(32),
            "ommers_hash": EMPTY_OMMERS_HASH,
            "coinbase": bytes(20),
            "state_root": bytes(spec.state.state_root(state)),
            "transactions_root": empty_root,
            "receipt_root": empty_root,
            "bloom": bytes(256),
            "difficulty": 0,
            "number": 0,
            "gas_limit": 0,
            "gas_used": 0,
            "timestamp": 0,
            "extra_data": b"\0",
            "mix_digest": bytes(32),
            "prev_randao": bytes(32),
            "nonce": bytes(8),
            "base_fee_per_gas": 7,
            "withdrawals_root": empty_root,
            "blob_gas_used": 0,
            "excess_blob_gas": 0,
            "parent_beacon_block_root": bytes(32),
            "requests_hash": requests_hash(()),
        }
        fields = {name: chosen.get(name, fields[name]) for name in spec.header_names}
        body: list[rlp.Item] = [encode_header(fields), [], []]
        if network.first >= Fork.SHANGHAI:
            body.append([])
        block = spec.decode(rlp.encode(body))
        chain = spec.rules.BlockChain(blocks=[block], state=state, chain_id=_numeric.U64(CHAIN_ID))
        return cls(network, spec, chain, int(block.header.difficulty))

    def header(self, generations: int = 0) -> HeaderFields:
        """Header of the newest block, or of an ancestor so many generations up."""
        header = self.chain.blocks[-1 - generations].header
        return {
            field.name: _plain(getattr(header, field.name)) for field in dataclasses.fields(type(header))
        }

    @property
    def length(self) -> int:
        """Number of blocks, genesis included."""
        return len(self.chain.blocks)

    def ommers(self, generations: int) -> list[bytes]:
        """Encodings of the ommers in the newest block, or in an ancestor so many generations up."""
        return [bytes(_rlp.encode(ommer)) for ommer in self.chain.blocks[-1 - generations].ommers]

    def accounts(self) -> dict[bytes, Account]:
        """The state after the newest block."""
        return self.spec.read(self.chain.state)

    def rules_for(self, number: int, timestamp: int) -> Specification:
        """The specification that judges a child with this height and time."""
        return specification(self.network.fork_of(number, timestamp, self.total_difficulty))

    def _fresh(self, spec: Specification) -> Any:
        """A copy of the chain that may be spoilt, under the given rules."""
        for fork in (Fork.DAO, Fork.LONDON):
            height = _criteria.ByBlockNumber(self.network.activation_block(fork))
            specification(fork).rules.FORK_CRITERIA = height
        chain = spec.rules.BlockChain(
            blocks=list(self.chain.blocks), state=spec.adopt(self.chain.state), chain_id=self.chain.chain_id
        )
        return chain if spec is self.spec else spec.rules.apply_fork(chain)

    def execute(self, spec: Specification, fields: HeaderFields, draft: BlockBody, candidates: Candidates) -> Outcome:
        """Run a body on the newest state, one candidate transaction after another, leaving out the rejected ones.

        ``draft`` gives ommers and withdrawals. Raises BlockRefused if the specification refuses the block for what
        is not one transaction's fault, and Undefined where it fails.
        """
        block = spec.decode(draft.encode(fields))
        trial = _Trial(spec, self._fresh(spec), block)
        try:
            output = trial.run(candidates)
        except (_exceptions.EthereumException, _rlp_errors.RLPException) as error:
            body = dataclasses.replace(draft, transactions=tuple(trial.accepted))
            raise BlockRefused(error, body) from error
        except Exception as error:
            raise Undefined(repr(error)) from error
        body = dataclasses.replace(draft, transactions=tuple(trial.accepted))
        roots = _roots(spec, trial.chain, block, output)
        requests = tuple(bytes(request) for request in getattr(output, "requests", ()))
        return Outcome(roots, body, requests, tuple(trial.rejected))

    def judge(self, raw: bytes) -> Ledger:
        """The chain with this block on top. Raises Refused, or Undefined where the specification fails."""
        position = _position(raw)
        spec = self.spec if position is None else self.rules_for(*position)
        block = spec.decode(raw)
        chain = self._fresh(spec)
        try:
            spec.rules.state_transition(chain, block)
        except (_exceptions.EthereumException, _rlp_errors.RLPException) as error:
            raise Refused(error) from error
        except Exception as error:
            raise Undefined(repr(error)) from error
        return Ledger(self.network, spec, chain, self.total_difficulty + int(block.header.difficulty))

    def difficulty_of_child(self, spec: Specification, number: int, timestamp: int) -> int:
        """Difficulty the rules demand of the next block."""
        if spec.fork >= Fork.PARIS:
            return 0
        parent = self.header()
        return block_difficulty(
            spec, number, timestamp, _int(parent, "timestamp"), _int(parent, "difficulty"),
            parent["ommers_hash"] != EMPTY_OMMERS_HASH,
        )

    def base_fee_of_child(self, spec: Specification, number: int, gas_limit: int) -> int:
        """Base fee of the next block; 0 before London."""
        if spec.fork < Fork.LONDON:
            return 0
        parent = self.header()
        if "base_fee_per_gas" not in parent:
            return int(spec.rules.INITIAL_BASE_FEE)
        uint = _numeric.Uint
        return int(
            spec.rules.calculate_base_fee_per_gas(
                uint(gas_limit),
                uint(_int(parent, "gas_limit")),
                uint(_int(parent, "gas_used")),
                uint(_int(parent, "base_fee_per_gas")),
            )
        )

    def excess_blob_gas_of_child(self, spec: Specification) -> int:
        """Excess blob gas of the next block; 0 before Cancun."""
        if spec.fork < Fork.CANCUN:
            return 0
        return int(spec.gas.calculate_excess_blob_gas(self.chain.blocks[-1].header))


def encode_header(fields: HeaderFields) -> list[rlp.Item]:
    """A header's fields as RLP items."""
    return [rlp.quantity(value) if isinstance(value, int) else value for value in fields.values()]


def header_hash(fields: HeaderFields) -> bytes:
    """Hash of the block with this header."""
    return keccak256(rlp.encode(encode_header(fields)))


def requests_hash(requests: Sequence[bytes]) -> bytes:
    """Commitment to execution requests (EIP-7685); each begins with its type."""
    module: Any = import_module("ethereum.forks.prague.requests")
    return bytes(module.compute_requests_hash([_bytes.Bytes(request) for request in requests]))


def block_difficulty(
    spec: Specification, number: int, timestamp: int, parent_timestamp: int, parent_difficulty: int,
    parent_has_ommers: bool,
) -> int:
    """Difficulty by the fork's formula, with its bomb."""
    formula: Callable[..., Any] = spec.rules.calculate_block_difficulty
    arguments = [
        _numeric.Uint(number), _numeric.U256(timestamp), _numeric.U256(parent_timestamp),
        _numeric.Uint(parent_difficulty), parent_has_ommers,
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


def run_state_test(
    fork: Fork, accounts: Mapping[bytes, Account], values: Mapping[str, Any], raw: rlp.Item
) -> StateOutcome:
    """Execute one encoded transaction outside any block, as state tests do.

    ``values``: coinbase, number, timestamp, gas_limit, difficulty, random, base_fee, excess_blob_gas.
    """
    spec = specification(fork)
    state = spec.new_state(accounts)
    hashes = [_hash.Hash32(keccak256(str(n).encode())) for n in range(max(0, values["number"] - 256), values["number"])]
    environment = spec.environment(
        chain_id=_numeric.U64(CHAIN_ID), state=state, block_gas_limit=_numeric.Uint(values["gas_limit"]),
        block_hashes=hashes, coinbase=spec.types.Address(values["coinbase"]),
        number=_numeric.Uint(values["number"]), time=_numeric.U256(values["timestamp"]),
        difficulty=_numeric.Uint(values["difficulty"]), base_fee_per_gas=_numeric.Uint(values["base_fee"]),
        prev_randao=_bytes.Bytes32(values["random"]), excess_blob_gas=_numeric.U64(values["excess_blob_gas"]),
        parent_beacon_block_root=_hash.Hash32(bytes(32)),
    )  # fmt: skip
    output = spec.vm.BlockOutput()
    refused = None
    try:
        spec.rules.process_transaction(environment, output, _decode_transaction(spec, raw), _numeric.Uint(0))
    except (_exceptions.EthereumException, _rlp_errors.RLPException) as error:
        refused, state, output = Refused(error).reason, spec.new_state(accounts), spec.vm.BlockOutput()
    except Exception as error:
        raise Undefined(repr(error)) from error
    logs = keccak256(bytes(_rlp.encode(output.block_logs)))
    return StateOutcome(bytes(spec.state.state_root(state)), logs, refused, spec.read(state))


def _decode_transaction(spec: Specification, raw: rlp.Item) -> Any:
    if isinstance(raw, bytes):
        if not hasattr(spec.transactions, "decode_transaction"):
            raise _exceptions.InvalidTransaction("typed transactions do not exist yet")
        return spec.transactions.decode_transaction(_bytes.Bytes(raw))
    kind = getattr(spec.transactions, "LegacyTransaction", None) or spec.transactions.Transaction
    return _rlp.decode_to(kind, rlp.encode(raw))


class _Trial:
    """One pass of a fork's ``apply_body`` in which single transactions may fail.

    The fork's loop pulls transactions from a generator and calls ``process_transaction``; a wrapper around that
    takes back what a rejected transaction touched and numbers the accepted ones.
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
                decoded = _decode_transaction(self.spec, raw)
            except (_exceptions.EthereumException, _rlp_errors.RLPException) as error:
                self._reject(error)
                continue
            yield _bytes.Bytes(raw) if isinstance(raw, bytes) else decoded

    def _reject(self, error: Exception) -> None:
        self.rejected.append(Rejection(self._current, len(self.accepted), Refused(error).reason))

    def _process(self, block_env: Any, block_output: Any, tx: Any, index: Any) -> None:
        state, trie = block_env.state, self.spec.trie
        main = trie.copy_trie(state._main_trie)
        storage = {address: trie.copy_trie(slots) for address, slots in state._storage_tries.items()}
        transactions = trie.copy_trie(block_output.transactions_trie)
        try:
            self._original(block_env, block_output, tx, _numeric.Uint(len(self.accepted)))
        except (_exceptions.EthereumException, _rlp_errors.RLPException) as error:
            state._main_trie, state._storage_tries = main, storage
            block_output.transactions_trie = transactions
            self._reject(error)
        else:
            self.accepted.append(self._current)


def _roots(spec: Specification, chain: Any, block: Any, output: Any) -> HeaderFields:
    bloom_module: Any = import_module(f"ethereum.forks.{spec.fork.module}.bloom")
    root = spec.trie.root
    fields: HeaderFields = {
        "ommers_hash": keccak256(bytes(_rlp.encode(block.ommers))),
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


def transactions_root(spec: Specification, transactions: Sequence[rlp.Item]) -> bytes:
    """Root of the trie of these encoded transactions."""
    trie = spec.trie.Trie(secured=False, default=None)
    for index, item in enumerate(transactions):
        value = item if isinstance(item, bytes) else rlp.encode(item)
        spec.trie.trie_set(trie, rlp.encode(rlp.quantity(index)), _bytes.Bytes(value))
    return bytes(spec.trie.root(trie))


def _position(raw: bytes) -> tuple[int, int] | None:
    """Height and time that an encoded block claims; None where the bytes are no block."""
    try:
        header: Any = rlp.decode(raw)[0]
        return int.from_bytes(header[8], "big"), int.from_bytes(header[11], "big")
    except (AssertionError, IndexError, TypeError, ValueError):
        return None


def _plain(value: Any) -> bytes | int:
    return bytes(value) if isinstance(value, bytes | bytearray) else int(value)


def _int(fields: HeaderFields, name: str) -> int:
    value = fields[name]
    assert isinstance(value, int)
    return value
