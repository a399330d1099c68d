"""A small chain, pool and node in memory, with the shapes of the real ports, and a dispatcher over them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from coc.rpc.dispatch import Dispatcher, Guard
from coc.rpc.errors import CallError
from coc.rpc.exchange import Exchange
from coc.rpc.faults import Defect, Translator
from coc.rpc.filters import FilterBook
from coc.rpc.jobs import Answer, Pooled, Submit, Wait
from coc.rpc.methods import Context, Services, Settings
from coc.rpc.ports import Accepted, Agreeing, ChainFaults, Outcome, Refused, SyncProgress
from coc.rpc.table import DEVELOPMENT

ALICE = bytes.fromhex("aa" * 20)
BOB = bytes.fromhex("bb" * 20)
NO_HASH = bytes(32)


class TransactionInvalid(ValueError):
    pass


class CallFailed(Exception):
    pass


class UnknownBlock(LookupError):
    pass


class LimitExceeded(ValueError):
    pass


class Pruned(LookupError):
    pass


class StorageFailed(OSError):
    pass


FAULTS = ChainFaults(TransactionInvalid, CallFailed, UnknownBlock, LimitExceeded, Pruned, StorageFailed)


def digest(text: str) -> bytes:
    """A stand-in for a hash: 32 bytes that differ for different texts."""
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class FakeHeader:
    hash: bytes
    parent_hash: bytes
    number: int
    timestamp: int = 0
    gas_limit: int = 30_000_000
    base_fee_per_gas: int | None = 7
    excess_blob_gas: int | None = 0
    consensus_data: bytes = b""
    seal: bytes = b""


@dataclass(frozen=True, slots=True)
class FakeTransaction:
    hash: bytes
    sender: bytes
    nonce: int
    raw: bytes = b"\x02raw"
    to: bytes | None = BOB
    value: int = 1
    gas_limit: int = 21_000
    max_fee_per_gas: int = 9

    def json(self) -> bytes:
        return msgspec.json.encode({"hash": "0x" + self.hash.hex(), "blockHash": None})


@dataclass(frozen=True, slots=True)
class FakeResult:
    status: str
    output: bytes = b""
    gas_used: int = 21_000
    reason: str = ""


@dataclass
class FakeChain:
    """Headers by hash and a canonical list; every answer says which block it was asked of."""

    chain_id: int = 1337
    headers: dict[bytes, FakeHeader] = field(default_factory=dict)
    canonical: list[bytes] = field(default_factory=list)
    transactions: dict[bytes, list[bytes]] = field(default_factory=dict)
    balances: dict[bytes, int] = field(default_factory=lambda: {ALICE: 10**18})
    nonces: dict[bytes, int] = field(default_factory=dict)
    slots: dict[bytes, bytes] = field(default_factory=dict)
    logs: dict[bytes, list[dict[str, Any]]] = field(default_factory=dict)
    result: FakeResult | Exception = FakeResult("success", b"\x2a")
    estimate: int | Exception = 21_000
    tip: int = 3
    asked: list[tuple[str, Any]] = field(default_factory=list)
    finalized_number: int = 0
    uncles: int = 0
    blob_market: tuple[list[str], list[float]] | None = None

    def __post_init__(self) -> None:
        self.extend("genesis")

    def extend(self, name: str, transactions: Sequence[bytes] = ()) -> FakeHeader:
        """A new canonical block on the head."""
        parent = self.canonical[-1] if self.canonical else NO_HASH
        header = FakeHeader(digest(name), parent, len(self.canonical), timestamp=len(self.canonical))
        self.headers[header.hash] = header
        self.canonical.append(header.hash)
        self.transactions[header.hash] = list(transactions)
        return header

    def retreat(self, blocks: int) -> None:
        """Take blocks off the canonical chain; they stay known, as a reorganisation leaves them."""
        del self.canonical[-blocks:]

    @property
    def head(self) -> FakeHeader:
        return self.headers[self.canonical[-1]]

    @property
    def safe(self) -> FakeHeader:
        return self.headers[self.canonical[self.finalized_number]]

    @property
    def finalized(self) -> FakeHeader:
        return self.headers[self.canonical[self.finalized_number]]

    def canonical_hash(self, number: int) -> bytes | None:
        return self.canonical[number] if number < len(self.canonical) else None

    def header(self, block: bytes) -> FakeHeader | None:
        return self.headers.get(block)

    def block_json(self, block: bytes, full: bool) -> bytes | None:
        header = self.headers.get(block)
        if header is None:
            return None
        return msgspec.json.encode({"hash": "0x" + block.hex(), "number": hex(header.number), "full": full})

    def header_rlp(self, block: bytes) -> bytes | None:
        return b"\xc1\x01" if block in self.headers else None

    def block_rlp(self, block: bytes) -> bytes | None:
        return b"\xc1\x02" if block in self.headers else None

    def receipts_raw(self, block: bytes) -> list[bytes] | None:
        return None if block not in self.headers else [b"\xc1\x03" for _ in self.transactions[block]]

    def transaction_count(self, block: bytes) -> int | None:
        return len(self.transactions[block]) if block in self.headers else None

    def uncle_count(self, block: bytes) -> int | None:
        return self.uncles if block in self.headers else None

    def uncle_json(self, block: bytes, index: int) -> bytes | None:
        return msgspec.json.encode({"number": hex(self.headers[block].number), "index": index})

    def find_transaction(self, transaction: bytes) -> tuple[bytes, int] | None:
        for block in self.canonical:
            if transaction in self.transactions[block]:
                return block, self.transactions[block].index(transaction)
        return None

    def transaction_json(self, block: bytes, index: int) -> bytes | None:
        return msgspec.json.encode({"hash": "0x" + self.transactions[block][index].hex()})

    def transaction_raw(self, block: bytes, index: int) -> bytes | None:
        return b"\x02" + self.transactions[block][index]

    def receipt_json(self, block: bytes, index: int) -> bytes | None:
        return msgspec.json.encode({"transactionHash": "0x" + self.transactions[block][index].hex()})

    def receipts_json(self, block: bytes) -> bytes | None:
        receipts = [{"transactionHash": "0x" + entry.hex()} for entry in self.transactions[block]]
        return msgspec.json.encode(receipts)

    def logs_json(
        self, first: int, last: int, addresses: list[bytes], topics: list[list[bytes]], max_rows: int
    ) -> bytes:
        self.asked.append(("logs", (first, last, addresses, topics, max_rows)))
        rows = [row for block in self.canonical[first : last + 1] for row in self.logs.get(block, [])]
        if len(rows) > max_rows:
            raise LimitExceeded(f"{len(rows)} logs where {max_rows} are allowed")
        return msgspec.json.encode(rows)

    def block_logs_json(
        self, block: bytes, addresses: list[bytes], topics: list[list[bytes]]
    ) -> bytes | None:
        self.asked.append(("block logs", (block, addresses, topics)))
        return None if block not in self.headers else msgspec.json.encode(self.logs.get(block, []))

    def account(self, block: bytes, address: bytes) -> tuple[int, int, bytes, bytes]:
        self.asked.append(("account", block))
        return self.nonces.get(address, 0), self.balances.get(address, 0), NO_HASH, NO_HASH

    def code(self, block: bytes, address: bytes) -> bytes:
        return b"\x60\x42" if address == ALICE else b""

    def storage(self, block: bytes, address: bytes, slot: bytes) -> bytes:
        return self.slots.get(slot, NO_HASH)

    def proof_json(self, block: bytes, address: bytes, slots: list[bytes]) -> bytes:
        entries = [{"key": "as native wrote it", "value": "0x0", "proof": []} for _ in slots]
        return msgspec.json.encode({"address": "0x" + address.hex(), "storageProof": entries})

    def call(
        self, block: bytes, request: bytes, overrides: bytes, block_overrides: bytes, gas_cap: int
    ) -> FakeResult:
        self.asked.append(("call", (block, request, overrides, block_overrides, gas_cap)))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def estimate_gas(self, block: bytes, request: bytes, overrides: bytes, gas_cap: int) -> int:
        self.asked.append(("estimate", (block, request, overrides, gas_cap)))
        if isinstance(self.estimate, Exception):
            raise self.estimate
        return self.estimate

    def access_list_json(self, block: bytes, request: bytes, gas_cap: int) -> bytes:
        return b'{"accessList":[],"gasUsed":"0x5208"}'

    def fee_history_json(self, newest: bytes, count: int, percentiles: list[float]) -> bytes:
        self.asked.append(("fee history", (newest, count, percentiles)))
        first = self.headers[newest].number - count + 1
        blocks = self.canonical[first : first + count]
        used = [0.5 if self.transactions[block] else 0.0 for block in blocks]
        reward = [[hex(self.tip)] * len(percentiles) for _ in blocks]
        history = {"oldestBlock": hex(first), "gasUsedRatio": used, "reward": reward}
        if self.blob_market is not None:
            history["baseFeePerBlobGas"], history["blobGasUsedRatio"] = self.blob_market
        return msgspec.json.encode(history)

    def next_base_fee(self, block: bytes) -> int:
        return 8

    def next_blob_base_fee(self, block: bytes) -> int:
        return 1


@dataclass
class FakePool:
    """Waiting transactions; every one is pending."""

    waiting: list[FakeTransaction] = field(default_factory=list)

    def get(self, transaction: bytes) -> FakeTransaction | None:
        return next((entry for entry in self.waiting if entry.hash == transaction), None)

    def next_nonce(self, address: bytes) -> int | None:
        nonces = [entry.nonce for entry in self.waiting if entry.sender == address]
        return max(nonces) + 1 if nonces else None

    def counts(self) -> tuple[int, int]:
        return len(self.waiting), 0

    def senders(self) -> Iterable[bytes]:
        return sorted({entry.sender for entry in self.waiting})

    def pending_of(self, address: bytes) -> Sequence[FakeTransaction]:
        return [entry for entry in self.waiting if entry.sender == address]

    def queued_of(self, address: bytes) -> Sequence[FakeTransaction]:
        return []

    def arrivals(self, cursor: int) -> tuple[int, Sequence[bytes]]:
        new = [] if cursor < 0 else [entry.hash for entry in self.waiting[cursor:]]
        return len(self.waiting), new


@dataclass
class FakeAccounts:
    """Signs by wrapping: the raw transaction holds what was asked to be signed."""

    unlocked: tuple[bytes, ...] = (ALICE,)

    def addresses(self) -> Sequence[bytes]:
        return self.unlocked

    def sign_transaction(self, address: bytes, unsigned: bytes) -> bytes:
        return b"signed" + address + unsigned

    def sign_message(self, address: bytes, message: bytes) -> bytes:
        return address + message

    def sign_typed_data(self, address: bytes, typed_data: bytes) -> bytes:
        if b"types" not in typed_data:
            raise ValueError("no types")
        return address + typed_data


@dataclass
class FakeSealer:
    chain: FakeChain

    def seal(self, blocks: int, timestamp_s: int | None, done: Callable[[Exception | None], None]) -> None:
        for _ in range(blocks):
            self.chain.extend(f"sealed {len(self.chain.canonical)}")
        done(None)


@dataclass
class FakeStatus:
    client_version: str = "coc/test"
    listening: bool = True
    progress: SyncProgress | None = None
    fee_recipient: bytes | None = None
    agreement: Agreeing | None = None

    def peer_count(self) -> int:
        return 2

    def syncing(self) -> SyncProgress | None:
        return self.progress

    def coinbase(self) -> bytes | None:
        return self.fee_recipient

    def agreeing(self) -> Agreeing | None:
        return self.agreement


def planned_errors_only(translator: Translator) -> Guard:
    """A guard that answers planned errors and lets defects fly, so that a test sees them."""
    faults = translator.faults
    planned = (
        CallError,
        faults.call_failed,
        faults.transaction_invalid,
        faults.unknown_block,
        faults.limit_exceeded,
        faults.pruned,
        faults.storage_failed,
    )

    def guard(step: Callable[[], Answer]) -> Answer | CallError:
        try:
            return step()
        except planned as error:
            return translator.translate(error)

    return guard


class Node:
    """A dispatcher over the fakes, and the transport's part played in order on one thread."""

    def __init__(self, guard: Callable[[Translator], Guard] = planned_errors_only) -> None:
        self.chain = FakeChain()
        self.pool = FakePool()
        self.accounts = FakeAccounts()
        self.status = FakeStatus()
        self.defects: list[Defect] = []
        self.submitted: list[bytes] = []
        ids = itertools.count(0xF1)
        services = Services(
            chain=self.chain,
            pool=self.pool,
            accounts=self.accounts,
            sealer=FakeSealer(self.chain),
            status=self.status,
            keccak256=lambda data: hashlib.sha3_256(data).digest(),
        )
        self.context = Context(services, FilterBook(lambda: next(ids)), Settings())
        translator = Translator(FAULTS, self.defects.append)
        self.dispatcher = Dispatcher(DEVELOPMENT, self.context, guard(translator))

    def submit(self, raw: bytes) -> Outcome:
        """Admission: bytes that begin with "no" are refused with a code."""
        self.submitted.append(raw)
        if raw.startswith(b"no"):
            return Refused("NONCE_TOO_LOW", "the account has sent 5 transactions and this one has nonce 4")
        return Accepted(digest(raw.hex()))

    def submit_many(
        self, raws: list[bytes], judged: Callable[[], None], done: Callable[[Sequence[Outcome]], None]
    ) -> None:
        judged()
        done([self.submit(raw) for raw in raws])

    def send(self, body: bytes, now_ms: int = 0) -> bytes | None:
        """Answer a body, doing whatever jobs it needs."""
        handled = self.dispatcher.handle(body, now_ms)
        if not isinstance(handled, Exchange):
            return handled
        while not handled.done:
            for ticket in handled.ready():
                handled.settle(ticket, self._outcome(ticket.job))
        return handled.body()

    def _outcome(self, job: Pooled | Submit | Wait) -> Any:
        if isinstance(job, Submit):
            return self.submit(job.raw)
        ended: list[Exception | None] = []
        try:
            return job.run() if isinstance(job, Pooled) else job.begin(ended.append)
        except Exception as error:  # noqa: BLE001 - as the carrier does
            return error

    def request(self, method: str, *params: Any, now_ms: int = 0) -> dict[str, Any]:
        """One call, its whole response decoded."""
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        answer = self.send(body, now_ms)
        assert answer is not None
        decoded: dict[str, Any] = msgspec.json.decode(answer)
        return decoded

    def ask(self, method: str, *params: Any, now_ms: int = 0) -> Any:
        """The result of one call that must succeed."""
        answer = self.request(method, *params, now_ms=now_ms)
        assert "error" not in answer, answer
        return answer["result"]

    def refusal(self, method: str, *params: Any, now_ms: int = 0) -> tuple[int, str]:
        """Code and message of one call that must fail."""
        answer = self.request(method, *params, now_ms=now_ms)
        assert "result" not in answer, answer
        return answer["error"]["code"], answer["error"]["message"]
