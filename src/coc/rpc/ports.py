"""What the JSON-RPC layer needs of the rest of the node, as narrow protocols that the composition root fills.

`Chain` is the part of the native chain handle that reading needs: blocks named by hash, answers as UTF-8 JSON
in the shape of execution-apis. `Pool`, `Accounts`, `Sealer` and `Status` are answered from memory and must
not block.
"""

# ruff: noqa: D102 - a member is described by its class, and its type says the rest

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias

from coc.primitives.frozen import frozen


class Header(Protocol):
    """Facts of one block header."""

    @property
    def hash(self) -> bytes: ...
    @property
    def parent_hash(self) -> bytes: ...
    @property
    def number(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def gas_limit(self) -> int: ...
    @property
    def base_fee_per_gas(self) -> int | None: ...
    @property
    def excess_blob_gas(self) -> int | None: ...
    @property
    def consensus_data(self) -> bytes: ...
    @property
    def seal(self) -> bytes: ...


class CallResult(Protocol):
    """What a call came to: `success`, `revert` or `halt`, with output and the reason in words."""

    @property
    def status(self) -> str: ...
    @property
    def output(self) -> bytes: ...
    @property
    def gas_used(self) -> int: ...
    @property
    def reason(self) -> str: ...


class PooledTransaction(Protocol):
    """A decoded transaction that waits in the pool."""

    @property
    def hash(self) -> bytes: ...
    @property
    def sender(self) -> bytes: ...
    @property
    def nonce(self) -> int: ...
    @property
    def to(self) -> bytes | None: ...
    @property
    def value(self) -> int: ...
    @property
    def gas_limit(self) -> int: ...
    @property
    def max_fee_per_gas(self) -> int: ...
    @property
    def raw(self) -> bytes: ...
    def json(self) -> bytes:
        """The transaction as execution-apis shows a pending one: block fields null."""
        ...


class Chain(Protocol):
    """Reading the chain. `None` means the block is unknown; `ChainFaults` says what else can be raised."""

    @property
    def chain_id(self) -> int: ...
    @property
    def head(self) -> Header: ...
    @property
    def safe(self) -> Header: ...
    @property
    def finalized(self) -> Header: ...
    def canonical_hash(self, number: int, /) -> bytes | None: ...
    def header(self, block: bytes, /) -> Header | None: ...
    def block_json(self, block: bytes, full: bool, /) -> bytes | None: ...
    def header_rlp(self, block: bytes, /) -> bytes | None: ...
    def block_rlp(self, block: bytes, /) -> bytes | None: ...
    def receipts_raw(self, block: bytes, /) -> list[bytes] | None: ...
    def transaction_count(self, block: bytes, /) -> int | None: ...
    def uncle_count(self, block: bytes, /) -> int | None: ...
    def uncle_json(self, block: bytes, index: int, /) -> bytes | None: ...
    def find_transaction(self, transaction: bytes, /) -> tuple[bytes, int] | None: ...
    def transaction_json(self, block: bytes, index: int, /) -> bytes | None: ...
    def transaction_raw(self, block: bytes, index: int, /) -> bytes | None: ...
    def receipt_json(self, block: bytes, index: int, /) -> bytes | None: ...
    def receipts_json(self, block: bytes, /) -> bytes | None: ...
    def logs_json(
        self, first: int, last: int, addresses: list[bytes], topics: list[list[bytes]], max_rows: int, /
    ) -> bytes: ...
    def block_logs_json(
        self, block: bytes, addresses: list[bytes], topics: list[list[bytes]], /
    ) -> bytes | None: ...
    def account(self, block: bytes, address: bytes, /) -> tuple[int, int, bytes, bytes]: ...
    def code(self, block: bytes, address: bytes, /) -> bytes: ...
    def storage(self, block: bytes, address: bytes, slot: bytes, /) -> bytes: ...
    def proof_json(self, block: bytes, address: bytes, slots: list[bytes], /) -> bytes: ...
    def call(
        self, block: bytes, request: bytes, overrides: bytes, block_overrides: bytes, gas_cap: int, /
    ) -> CallResult: ...
    def estimate_gas(self, block: bytes, request: bytes, overrides: bytes, gas_cap: int, /) -> int: ...
    def access_list_json(self, block: bytes, request: bytes, gas_cap: int, /) -> bytes: ...
    def fee_history_json(self, newest: bytes, count: int, percentiles: list[float], /) -> bytes: ...
    def next_base_fee(self, block: bytes, /) -> int: ...
    def next_blob_base_fee(self, block: bytes, /) -> int: ...


@frozen
class ChainFaults:
    """The exception types of the native side, handed in because only adapters may open its handles.

    The first argument of each is a sentence; the second of `transaction_invalid` is a stable code, that of
    `call_failed` the revert data.
    """

    transaction_invalid: type[Exception]
    call_failed: type[Exception]
    unknown_block: type[Exception]
    limit_exceeded: type[Exception]
    pruned: type[Exception]
    storage_failed: type[Exception]


class Pool(Protocol):
    """Reading the mempool: *pending* can be in the next block, *queued* waits for a nonce or a lower fee."""

    def get(self, transaction: bytes, /) -> PooledTransaction | None: ...
    def next_nonce(self, address: bytes, /) -> int | None:
        """The nonce after the sender's last gapless waiting transaction; None when none waits."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many are pending, how many queued."""
        ...

    def senders(self) -> Iterable[bytes]: ...
    def pending_of(self, address: bytes, /) -> Sequence[PooledTransaction]: ...
    def queued_of(self, address: bytes, /) -> Sequence[PooledTransaction]: ...
    def arrivals(self, cursor: int, /) -> tuple[int, Sequence[bytes]]:
        """Hashes admitted since `cursor` and the cursor after them; a cursor of -1 asks for no hashes."""
        ...


class Accounts(Protocol):
    """The unlocked accounts of a development chain; empty elsewhere.

    `KeyError` means the account is not here; `ValueError` that what should be signed is not well-formed.
    """

    def addresses(self) -> Sequence[bytes]: ...
    def sign_transaction(self, address: bytes, unsigned: bytes, /) -> bytes:
        """`unsigned` is a complete GenericTransaction in JSON; the answer is the raw signed transaction."""
        ...

    def sign_message(self, address: bytes, message: bytes, /) -> bytes:
        """EIP-191 version 0x45, 65 bytes r‖s‖v with v 27 or 28."""
        ...

    def sign_typed_data(self, address: bytes, typed_data: bytes, /) -> bytes:
        """EIP-712; `typed_data` is the JSON object as sent, the answer as for `sign_message`."""
        ...


class Sealer(Protocol):
    """Sealing blocks on demand."""

    def seal(self, blocks: int, timestamp_s: int | None, done: Callable[[Exception | None], None], /) -> None:
        """Seal so many blocks, the first at the time given, then call `done` on the loop's thread."""
        ...


@frozen
class SyncProgress:
    """How far a node that is catching up has come, in block numbers."""

    starting: int
    current: int
    highest: int


@frozen
class Agreeing:
    """Where a node of a BFT chain stands; `goal` is the height that the furthest peer works on."""

    height: int
    round: int
    step: str
    validator: bytes | None
    is_watching: bool
    evidence: int
    goal: int
    has_diverged: bool = False


@frozen
class OwnPlace:
    """Who a node is to its peers: ids and keys, where it listens, and on which chain."""

    peer: bytes
    public_key: bytes
    host: str
    port: int
    http: str
    """Where it serves peers over HTTP; empty where it does not."""
    genesis_hash: bytes


@frozen
class ConnectedPeer:
    """A peer that is connected."""

    peer: bytes
    public_key: bytes
    host: str
    listen_port: int
    roles: str
    is_dialled: bool
    is_trusted: bool
    """Whether it is let in beyond the shares: a validator, or configured."""
    is_configured: bool
    is_over_http: bool


class Peers(Protocol):
    """The peers of a node, and what its operator may do about them.

    `named` is `[ID@]HOST:PORT`, with a scheme before it or none, `enode://KEY@HOST:PORT`, or an id or IP
    alone where that says enough. What reads otherwise raises a `CocError`.
    """

    def own(self) -> OwnPlace: ...
    def connected(self) -> Sequence[ConnectedPeer]: ...
    def bans(self) -> Sequence[tuple[str, int]]: ...
    def add(self, named: str) -> bool: ...
    def remove(self, named: str) -> bool: ...
    def ban(self, named: str) -> bool: ...
    def unban(self, named: str) -> bool: ...
    def divergence(self) -> object: ...


class NoPeers:
    """A node that has none, and none to give orders about."""

    def own(self) -> OwnPlace:
        """Nobody."""
        return OwnPlace(b"", b"", "", 0, "", b"")

    def connected(self) -> Sequence[ConnectedPeer]:
        """Nobody."""
        return ()

    def bans(self) -> Sequence[tuple[str, int]]:
        """Nobody."""
        return ()

    def add(self, named: str) -> bool:
        """Not taken."""
        del named
        return False

    remove = ban = unban = add

    def divergence(self) -> object:
        """Nothing: nobody certifies what this node could differ from."""
        return None


class Status(Protocol):
    """Facts of the running node."""

    @property
    def client_version(self) -> str: ...
    @property
    def listening(self) -> bool: ...
    def peer_count(self) -> int: ...
    def syncing(self) -> SyncProgress | None: ...
    def coinbase(self) -> bytes | None: ...
    def agreeing(self) -> Agreeing | None: ...


@frozen
class Accepted:
    """A transaction is in the pool and in the journal."""

    hash: bytes


@frozen
class Refused:
    """A transaction is not in the pool: a short stable code and a sentence."""

    code: str
    reason: str


Outcome: TypeAlias = Accepted | Refused | Exception
"""What became of one submitted transaction; an exception is a failure of the node, not of the transaction."""


class SubmitMany(Protocol):
    """Admit many raw transactions with one native call; called on the loop's thread."""

    def __call__(
        self, raws: list[bytes], judged: Callable[[], None], done: Callable[[Sequence[Outcome]], None], /
    ) -> None:
        """Answer through `done`, at once or later on the same thread, one outcome a transaction, in order.

        `judged` is called once before it, on the same thread, when the next call may be made: that one is
        judged while this one is admitted and answered.
        """
        ...
