"""Everything the Rust core offers Python, on one page.

Bytes and integers cross the line. Hashes have 32 bytes, addresses 20; amounts are in wei; JSON answers are
UTF-8 bytes in the shape of Ethereum's execution APIs. A block is always named by its hash. Calls that may
take long release the interpreter lock.
"""

from os import PathLike
from typing import TypeAlias, final

__all__ = [
    "BlockInvalid",
    "Built",
    "CallFailed",
    "CallResult",
    "Chain",
    "DbCheck",
    "DbRebuild",
    "GenesisInvalid",
    "Header",
    "LimitExceeded",
    "Mark",
    "NoiseChannel",
    "NoiseHandshake",
    "Pruned",
    "SimDisk",
    "SnapshotBuilder",
    "SnapshotRefused",
    "SnapshotStand",
    "StorageFailed",
    "Transaction",
    "TransactionInvalid",
    "Trial",
    "UnknownBlock",
    "Wal",
    "address_of",
    "channel_public_key",
    "check_block",
    "db_stats",
    "evm_run",
    "evm_transition",
    "genesis_accounts",
    "genesis_alloc",
    "genesis_note",
    "keccak256",
    "public_key_of",
    "read_block",
    "recover_public_key",
    "rlp_decode",
    "rlp_encode",
    "run_blocktests",
    "run_statetests",
    "scrypt_mix",
    "sign",
    "sign_transaction",
    "version",
    "vrf_output",
    "vrf_prove",
    "vrf_verify",
]

_RlpItem: TypeAlias = bytes | list[_RlpItem]

class BlockInvalid(ValueError):
    """A block breaks a rule: `args` are the sentence and a stable code."""

class TransactionInvalid(ValueError):
    """A transaction can never be valid: `args` are the sentence and a stable code."""

class GenesisInvalid(ValueError):
    """A genesis file does not make, or does not fit, a chain."""

class StorageFailed(RuntimeError):
    """Log or store failed: `args` are the sentence and whether space was short."""

class Pruned(LookupError):
    """The block is known, its state or body is no longer kept."""

class UnknownBlock(LookupError):
    """No block has this hash."""

class SnapshotRefused(ValueError):
    """A peer's answer about a state does not prove itself; nothing of it was taken."""

class LimitExceeded(ValueError):
    """A published limit was hit."""

class CallFailed(Exception):
    """A call failed where it had to succeed: `args` are the reason and the revert data."""

def version() -> str:
    """The version of this release."""

def keccak256(data: bytes) -> bytes:
    """keccak-256 of `data`: 32 bytes."""

def address_of(secret: bytes) -> bytes:
    """The 20-byte address of a 32-byte secret key."""

def public_key_of(secret: bytes) -> bytes:
    """The 64-byte public key of a 32-byte secret key."""

def sign(secret: bytes, digest: bytes) -> bytes:
    """A 65-byte signature r ‖ s ‖ y parity over a 32-byte digest (RFC 6979, low s)."""

def recover_public_key(digest: bytes, signature: bytes) -> bytes:
    """The 64-byte public key that made a 65-byte signature of low s; ValueError where no key could have."""

def vrf_prove(secret: bytes, alpha: bytes) -> bytes:
    """The 81-byte proof of a secret key's output for `alpha` (ECVRF of RFC 9381, secp256k1, suite 0xFE)."""

def vrf_verify(public_key: bytes, alpha: bytes, proof: bytes) -> bytes:
    """The 32-byte output for `alpha` under a 64-byte public key; ValueError where the proof does not hold."""

def vrf_output(proof: bytes) -> bytes:
    """The 32-byte output of a proof that was verified before; ValueError for bytes that are no proof."""

def channel_public_key(secret: bytes) -> bytes:
    """The 32-byte X25519 public key of a 32-byte secret, which may be any."""

def rlp_decode(data: bytes, depth_levels_max: int) -> _RlpItem | None:
    """The RLP item that fills `data`: bytes, or a list of items.

    None where `data` is not its one canonical encoding.
    """

def rlp_encode(value: object, depth_levels_max: int) -> bytes | None:
    """The RLP of bytes, an integer below 2^128, or a list or tuple of such; None for everything else."""

def scrypt_mix(block: bytes, n: int) -> bytes:
    """ROMix of scrypt (RFC 7914): a block of 128·r bytes, a table of `n` blocks; ValueError for others."""

def sign_transaction(secret: bytes, unsigned: bytes) -> bytes:
    """Sign a complete GenericTransaction (JSON): the canonical encoding."""

def run_statetests(text: bytes) -> bytes:
    """Run the state tests of one file's text: a JSON array of {name, fork, pass, stateRoot, error}."""

def run_blocktests(text: bytes) -> bytes:
    """Run the block tests of one file's text: a JSON array of {name, fork, pass, stateRoot, error}."""

def evm_transition(
    alloc: bytes,
    env: bytes,
    txs: bytes,
    fork: str,
    chain_id: int,
    reward: int,
    state_test: bool,
    trace_folder: str | None,
) -> tuple[bytes, bytes, bytes]:
    """Run a transition: alloc, result and body, each as JSON text.

    A reward of −1 pays and touches nobody. ValueError where something given does not read, OSError where a
    trace cannot be written.
    """

def evm_run(request: bytes, genesis: bytes | None, trace: bool, bench: bool) -> bytes:
    """Run code once, or again and again to time it: output, gas used, failure and times as JSON text.

    `request` is a JSON object of code, input, gas, value, sender, receiver, create and fork; a trace goes
    straight to standard output. ValueError where something given does not read, OSError where the trace
    cannot be written.
    """

def genesis_alloc(text: bytes) -> tuple[int, int]:
    """Where in a genesis file's text the value of `alloc` begins and ends.

    ValueError with the field and what is wrong with it, in words that follow "it".
    """

def genesis_accounts(
    alloc: bytes, is_ours: bool, wanted: list[bytes]
) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Check the accounts in the text of an `alloc`: how many there are, and the JSON of those asked for.

    ValueError with the field of the first that breaks a rule, what is wrong with it, and the cure.
    """

def genesis_note(data_dir: str | PathLike[str], text: bytes) -> tuple[int, bytes] | None:
    """What the note in a data folder says of its genesis file's text; None where it has none of this text.

    How many accounts there are, and the text without them.
    """

@final
class Transaction:
    """A decoded transaction with its sender. Fees are in wei a gas; `to` is None for a creation."""

    @staticmethod
    def decode(raw: bytes) -> Transaction:
        """Decode the canonical encoding and recover the sender; raises TransactionInvalid."""
    @property
    def hash(self) -> bytes: ...
    @property
    def sender(self) -> bytes: ...
    @property
    def type(self) -> int: ...
    @property
    def nonce(self) -> int: ...
    @property
    def gas_limit(self) -> int: ...
    @property
    def value(self) -> int: ...
    @property
    def to(self) -> bytes | None: ...
    @property
    def max_fee_per_gas(self) -> int: ...
    @property
    def max_priority_fee_per_gas(self) -> int: ...
    @property
    def max_fee_per_blob_gas(self) -> int: ...
    @property
    def blob_count(self) -> int: ...
    @property
    def chain_id(self) -> int | None: ...
    @property
    def authorities(self) -> list[bytes]: ...
    @property
    def raw(self) -> bytes: ...
    @property
    def size(self) -> int: ...
    @property
    def max_cost(self) -> int: ...
    def json(self) -> bytes:
        """The pending form: block fields null."""

@final
class Header:
    """Facts of one header, with the consensus data and seal beside the block."""

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
    def gas_used(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def base_fee_per_gas(self) -> int | None: ...
    @property
    def blob_gas_used(self) -> int | None: ...
    @property
    def excess_blob_gas(self) -> int | None: ...
    @property
    def state_root(self) -> bytes: ...
    @property
    def coinbase(self) -> bytes: ...
    @property
    def mix_hash(self) -> bytes: ...
    @property
    def extra_data(self) -> bytes: ...
    @property
    def parent_beacon_block_root(self) -> bytes | None: ...
    @property
    def transaction_count(self) -> int: ...
    @property
    def consensus_data(self) -> bytes: ...
    @property
    def seal(self) -> bytes: ...

@final
class CallResult:
    """How a call ended: `success`, `revert` or `halt`."""

    @property
    def status(self) -> str: ...
    @property
    def output(self) -> bytes: ...
    @property
    def gas_used(self) -> int: ...
    @property
    def reason(self) -> str: ...

@final
class Built:
    """A block that was built and is a candidate; `refused` lists hash, code and sentence."""

    @property
    def hash(self) -> bytes: ...
    @property
    def block_rlp(self) -> bytes: ...
    @property
    def gas_used(self) -> int: ...
    @property
    def transaction_hashes(self) -> list[bytes]: ...
    @property
    def refused(self) -> list[tuple[bytes, str, str]]: ...

@final
class Chain:
    """An open chain: the log, the store behind it, and the tree of executed blocks."""

    @staticmethod
    def open(genesis: bytes, data_dir: str | PathLike[str] | None, options_json: bytes) -> Chain:
        """Open the chain of a genesis file's text in a folder, or in memory.

        Options are a JSON object of limits in bytes.
        """
    @staticmethod
    def open_simulated(genesis: bytes, disk: SimDisk, options_json: bytes) -> Chain:
        """Open the chain of a genesis file's text on a simulated disk and the index behind it.

        Options as for `open`; also `log_salt`. Equal seeds and equal calls leave equal bytes.
        """
    @property
    def recovered(self) -> bytes: ...
    @property
    def chain_id(self) -> int: ...
    @property
    def genesis_hash(self) -> bytes: ...
    @property
    def is_coc(self) -> bool: ...
    @property
    def head(self) -> Header: ...
    @property
    def safe(self) -> Header: ...
    @property
    def finalized(self) -> Header: ...
    # Writing
    def execute(self, block_rlp: bytes, consensus_data: bytes) -> bytes:
        """Validate and execute a block, which then is a candidate: its hash. Raises BlockInvalid."""
    def build(
        self,
        parent: bytes,
        attributes_json: bytes,
        transactions: list[Transaction],
        time_budget_ms: int | None,
    ) -> Built:
        """Build a block on `parent` from transactions in the order given; it is a candidate afterwards."""
    def decide(self, block: bytes, seal: bytes, durable: bool = True) -> None:
        """Write an executed block with its seal into the log and make it the head.

        Durable on return, or with the next flush.
        """
    def record(self, block: bytes, seal: bytes) -> None:
        """Write an executed block with its seal into the log, durably, and leave the head where it is."""
    def set_head(self, block: bytes) -> None:
        """Make a block of the log the head; it may stand on another branch than the head of now."""
    def sync(self) -> None:
        """Make every decided block durable."""
    def set_finalized(self, safe: bytes, finalized: bytes) -> None:
        """Say which blocks are safe and which are final."""
    def import_blocks(self, blocks: list[bytes]) -> tuple[int, tuple[str, str] | None]:
        """Import blocks of an Ethereum chain durably.

        How many before the first refused one, and its code and sentence.
        """
    def flush_is_due(self) -> bool:
        """Whether so much is unflushed that a flush should run."""
    def flush(self) -> None:
        """Put decided blocks into the store."""
    def copy_is_due(self) -> bool:
        """Whether `copy_some` has something to do."""
    def copy_some(self, nodes_max: int) -> bool:
        """Carry up to so many trie nodes to a young file, or do the next step of giving old states up.

        False when nothing is left to do until the next flush. Whoever flushes calls it, in slices.
        """
    def pin_state(self, block: bytes) -> None:
        """Keep the state of a block until it is unpinned as often as it was pinned.

        UnknownBlock, Pruned, and LimitExceeded with 16 blocks pinned.
        """
    def unpin_state(self, block: bytes) -> None:
        """Undo one pin; nothing where there was none."""
    def close(self) -> None:
        """Flush everything; nothing may be written afterwards."""
    # Judging
    def admit(
        self, block: bytes, raws: list[bytes]
    ) -> list[tuple[Transaction, int, str, str, int, int, bool] | TransactionInvalid]:
        """Decode, recover and judge on the child of `block`.

        (transaction, standing, code, sentence, sender's nonce and balance, has code).
        """
    def classify(
        self, block: bytes, transactions: list[Transaction]
    ) -> list[tuple[int, str, str, int, int, bool]]:
        """Judge on the child of `block`.

        (standing 0 now 1 later 2 never, code, sentence, sender's nonce and balance, has code).
        """
    def accounts(self, block: bytes, addresses: list[bytes]) -> list[tuple[int, int, bool]]:
        """Nonce, balance and whether there is code, of many accounts after `block`."""
    def changed_accounts(self, block: bytes, addresses: list[bytes]) -> list[tuple[int, int, int, bool]]:
        """Those of `addresses` that an executed block in memory changed.

        Index in the list, nonce, balance, whether there is code.
        """
    def transaction_hashes(self, block: bytes) -> list[bytes]:
        """Hashes of a block's transactions in order."""
    # Reading
    def canonical_hash(self, number: int) -> bytes | None: ...
    def header(self, block: bytes) -> Header | None: ...
    def has_state(self, block: bytes) -> bool: ...
    def block_json(self, block: bytes, full: bool) -> bytes | None: ...
    def header_rlp(self, block: bytes) -> bytes | None: ...
    def block_rlp(self, block: bytes) -> bytes | None: ...
    def receipts_raw(self, block: bytes) -> list[bytes] | None: ...
    def transaction_count(self, block: bytes) -> int | None: ...
    def uncle_count(self, block: bytes) -> int | None: ...
    def uncle_json(self, block: bytes, index: int) -> bytes | None: ...
    def find_transaction(self, transaction: bytes) -> tuple[bytes, int] | None: ...
    def transaction_json(self, block: bytes, index: int) -> bytes | None: ...
    def transaction_raw(self, block: bytes, index: int) -> bytes | None: ...
    def receipt_json(self, block: bytes, index: int) -> bytes | None: ...
    def receipts_json(self, block: bytes) -> bytes | None: ...
    def logs_json(
        self, first: int, last: int, addresses: list[bytes], topics: list[list[bytes]], max_rows: int
    ) -> bytes: ...
    def block_logs_json(
        self, block: bytes, addresses: list[bytes], topics: list[list[bytes]]
    ) -> bytes | None: ...
    def account(self, block: bytes, account: bytes) -> tuple[int, int, bytes, bytes]:
        """Nonce, balance, code hash and storage root."""
    def code(self, block: bytes, account: bytes) -> bytes: ...
    def storage(self, block: bytes, account: bytes, slot: bytes) -> bytes: ...
    def proof_json(self, block: bytes, account: bytes, slots: list[bytes]) -> bytes: ...
    def state_ranges(self, request: bytes) -> bytes:
        """Answer a peer's request of ranges of a state; an empty list where the state is not kept.

        ValueError for bytes that are no request. Both are the RLP of `crates/chain/src/snapshot/payload.rs`.
        """
    def codes(self, request: bytes) -> bytes:
        """Answer a peer's request of codes, with empty ones for unknown ones; ValueError as above."""
    def trial(self, block_rlp: bytes, consensus_data: bytes) -> Trial:
        """Execute a block on its parent, compare nothing and keep nothing.

        BlockInvalid where it breaks a rule before any transaction.
        """
    def damaged_codes(self) -> list[bytes]:
        """Hashes under which the index has another code: the whole table is read."""
    def restore_codes(self, request: bytes, answer: bytes) -> list[bytes]:
        """Take in the answer to a request of codes in place of damaged ones: hashes still missing.

        SnapshotRefused where a code was not asked for.
        """
    def surroundings(self, block: bytes) -> bytes | None:
        """A block, its consensus data and receipts, and the headers before it; None where one is not kept."""
    def call(
        self, block: bytes, request: bytes, overrides: bytes, block_overrides: bytes, gas_cap: int
    ) -> CallResult: ...
    def estimate_gas(self, block: bytes, request: bytes, overrides: bytes, gas_cap: int) -> int: ...
    def access_list_json(self, block: bytes, request: bytes, gas_cap: int) -> bytes: ...
    def fee_history_json(self, newest: bytes, count: int, percentiles: list[float]) -> bytes: ...
    def next_base_fee(self, block: bytes) -> int: ...
    def next_blob_base_fee(self, block: bytes) -> int: ...

def check_block(block_rlp: bytes, consensus_data: bytes) -> tuple[bytes, int]:
    """Hash and height of the block of ours that these bytes are.

    Raises BlockInvalid where its header does not bind this body and these consensus data.
    """

def read_block(block_rlp: bytes, consensus_data: bytes) -> tuple[bytes, int, bytes, int]:
    """The same with the parent's hash and the time in seconds: hash, height, parent, time."""

def db_stats(data_dir: str | PathLike[str]) -> bytes:
    """Figures of a data folder as JSON.

    Bytes a part, blocks, heights, generations, tables. A node may run.
    """

@final
class DbCheck:
    """A check of a data folder under way. Damage of the index may end the process: run it in a child."""

    @staticmethod
    def begin(data_dir: str | PathLike[str], skip_index: bool) -> DbCheck:
        """Prepare to check a folder that no node has open; raises StorageFailed or GenesisInvalid."""
    def step(self, budget_ms: int) -> bytes | None:
        """Work for some milliseconds.

        JSON {phase, done_bytes, total_bytes, blocks}, or None when done before.
        """
    def report(self) -> bytes:
        """What was seen so far: JSON {sound, findings, cure, …}."""

@final
class DbRebuild:
    """A rebuild of the store from the block log under way; dropping it leaves one to go on with."""

    @staticmethod
    def begin(data_dir: str | PathLike[str], cut_log: bool) -> DbRebuild:
        """Begin, or go on; with `cut_log` a damaged log is cut behind its last whole record first."""
    def cut(self) -> bytes | None:
        """What was cut off the log: JSON {records_kept, lost_bytes, damage}; None where nothing was."""
    def step(self, budget_ms: int) -> bytes:
        """Work for some milliseconds: JSON {phase, done_bytes, total_bytes, height, blocks}.

        The phase is `reading`, `building`, and `done` in the end. Raises StorageFailed.
        """

@final
class NoiseHandshake:
    """One side of Noise_XX_25519_ChaChaPoly_SHA256.

    ValueError for a message that does not decrypt, after which nothing more is read or written, and for a
    call out of turn.
    """

    @staticmethod
    def begin(
        initiator: bool, static_secret: bytes, prologue: bytes, ephemeral_secret: bytes | None
    ) -> NoiseHandshake:
        """Begin; without an ephemeral secret the system makes one. Simulated runs hand one in."""
    def write(self, payload: bytes) -> bytes:
        """Our next message. The payload of the first of the three travels in clear."""
    def read(self, message: bytes) -> bytes:
        """The payload of the peer's next message."""
    @property
    def is_finished(self) -> bool: ...
    @property
    def remote_static(self) -> bytes | None:
        """The peer's static public key, once it has shown it."""
    @property
    def hash(self) -> bytes:
        """32 bytes over prologue and messages so far; in the end both sides have the same."""
    def finish(self) -> NoiseChannel:
        """The channel, after the third message. The handshake is over with this call, early or not."""

@final
class NoiseChannel:
    """An encrypted channel over a stream: a message is at most 65,535 bytes, 16 of them the seal."""

    def seal(self, plaintext: bytes) -> bytes:
        """Encrypt the next message to the peer; ValueError for more than 65,519 bytes."""
    def open(self, message: bytes) -> bytes:
        """Decrypt the peer's next message; ValueError where it is another, and for all that follow."""

@final
class SimDisk:
    """A disk in memory with faults, and the index of a chain in memory behind it; for simulated runs.

    Equal seeds and equal calls leave equal bytes. After `crash` and `kill` everything opened before is dead,
    and planned faults are forgotten, but for the two limits and pretended syncs.
    """

    def __new__(cls, seed: int) -> SimDisk: ...
    def crash(self) -> None:
        """Cut the power and bring it back.

        What was not synced is lost, torn or out of order; the index is as some earlier flush left it.
        """
    def kill(self) -> None:
        """End the process but not the power: nothing written is lost."""
    def cut_power_after(self, changes: int) -> None:
        """Cut the power after so many calls that change something; then all fail until `crash`."""
    def limit_bytes(self, bytes_max: int | None) -> None:
        """Bound the bytes of all files together; None lifts the bound."""
    def limit_files(self, files_max: int | None) -> None:
        """Bound the number of files; None lifts the bound."""
    def fail_next_syncs(self, count: int) -> None:
        """Make the next syncs of files fail; what they should have made durable may be lost for good."""
    def fail_syncs_one_in(self, times: int) -> None:
        """Make one sync in so many fail at random; 0 for none."""
    def pretend_syncs_of(self, place: str | PathLike[str]) -> None:
        """From now on syncs of a file, or of all files below a folder, succeed and make nothing durable."""
    def fail_writes_one_in(self, times: int) -> None:
        """Make one write in so many fail half-way at random; 0 for none."""
    def flip(self, path: str | PathLike[str], offset: int, mask: int) -> None:
        """Flip bits in one byte of a file; ValueError where there is no such byte."""
    def files(self) -> list[tuple[str, int]]:
        """Path and length of every file, sorted."""
    def spoil_code(self, code_hash: bytes, code: bytes) -> None:
        """Put other bytes under the hash of a code, as damage of the index would."""
    def digest(self) -> bytes:
        """keccak-256 over all files and all rows of the index: to compare two runs."""

@final
class Trial:
    """A block that was executed beside the chain, to find where that parts from what is certified.

    Fields are names with what is ours and what is certified, as text.
    """

    @property
    def disagreements(self) -> list[tuple[str, str, str]]:
        """What the header states and the execution does not give."""
    @property
    def refused(self) -> tuple[int, str] | None:
        """Place of the transaction that cannot stand in the block here, and why."""
    def first_transaction(self, surroundings: bytes) -> tuple[int, bytes, list[tuple[str, str, str]]] | None:
        """Place, hash and fields of the first transaction that did not do what its certified receipt says.

        `surroundings` is the answer of `Chain.surroundings`; SnapshotRefused where its receipts are not those
        that the header covers. None where only the state is another.
        """
    def addresses(self, transaction: int | None) -> list[bytes]:
        """The accounts to compare: those that a transaction names, then all that the execution changed."""
    def first_account(
        self, request: bytes, answer: bytes
    ) -> tuple[int, tuple[int, list[tuple[str, str, str]]] | None]:
        """How many accounts of a request an answer speaks of, and the first that is not as here.

        SnapshotRefused where the answer does not prove itself against the block's state root.
        """

@final
class SnapshotStand:
    """How far a snapshot is."""

    @property
    def block(self) -> bytes: ...
    @property
    def number(self) -> int: ...
    @property
    def next(self) -> bytes | None:
        """The first account key that is not built in; None when all are."""
    @property
    def has_surroundings(self) -> bool: ...
    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Accounts, slots, codes and bytes of answers that were taken in."""

@final
class SnapshotBuilder:
    """A folder on its way to a chain that begins with the snapshot of a block.

    It holds the folder's lock until it is finished or closed. After StorageFailed it is to be closed and
    begun again: it goes on from what was saved.
    """

    @staticmethod
    def begin(
        genesis: bytes, data_dir: str | PathLike[str], header_rlp: bytes, options_json: bytes
    ) -> SnapshotBuilder:
        """Begin, or go on with, the snapshot of the block with this header in a folder that holds no chain.

        Options are those of `Chain.open`. StorageFailed for a folder that holds a chain.
        """
    @staticmethod
    def begin_simulated(
        genesis: bytes, disk: SimDisk, header_rlp: bytes, options_json: bytes
    ) -> SnapshotBuilder:
        """The same on a simulated disk and the index behind it."""
    @property
    def begun(self) -> str:
        """Whether it was begun `anew`, `resumed`, or `turned` to from another block."""
    def add_state(
        self, request: bytes, answer: bytes
    ) -> tuple[list[tuple[bytes, list[tuple[bytes, bytes]], list[bytes]]], bytes | None]:
        """Take in the answer to a request of ranges.

        For each range: the last key that is certain now, accounts whose storage is wanted and from which key
        on, and codes that are wanted; then the first account key that is not built in, None when all are.
        SnapshotRefused where the answer does not prove itself, ValueError where nothing waits for it.
        """
    def add_codes(self, request: bytes, answer: bytes) -> list[bytes]:
        """Take in the answer to a request of codes: the hashes of those that are still missing."""
    def add_surroundings(self, answer: bytes) -> None:
        """Take in the block, its consensus data, its receipts and the headers before it."""
    @property
    def stand(self) -> SnapshotStand:
        """How far it is."""
    def save(self) -> None:
        """Make what is built in durable; it happens by itself every few megabytes."""
    def finish(self, seal: bytes) -> None:
        """Make the folder a chain whose head is the block, with this seal, which the caller has verified.

        ValueError while something is missing; the builder is used up in any case.
        """
    def close(self) -> None:
        """Let go of the folder."""

@final
class Wal:
    """The write-ahead log of a validator: records of the height in progress.

    Where StorageFailed is raised nothing of the call is in the log, and the call may be repeated: it fails
    again or leaves everything durable. After a power loss parts of it may be found nevertheless.
    """

    @staticmethod
    def open(
        folder: str | PathLike[str],
        genesis_hash: bytes,
        disk: SimDisk | None,
        reserve_bytes: int | None = None,
    ) -> Wal:
        """Open the log in a folder, or make it and reserve its space; raises StorageFailed with the cure.

        The space is 16 MiB, and less on a simulated disk.
        """
    @property
    def created(self) -> bool:
        """Whether there was none."""
    @property
    def records(self) -> list[bytes]:
        """The records found when it was opened: those of the newest height that left any. All are durable."""
    @property
    def cut_bytes(self) -> int:
        """Bytes found that belong to no whole record: never acknowledged. 0 where no machine has failed."""
    @property
    def reserve_held(self) -> bool:
        """Whether its space is reserved; False if the disk is too full to enlarge an older file."""
    def append(self, records: list[bytes]) -> None:
        """Add records; the next durable call makes them durable."""
    def append_durable(self, records: list[bytes]) -> None:
        """Add records and make them durable, and all before them."""
    def begin_height(self) -> None:
        """Begin the next height: the records of the last one have served. Nothing is written yet."""

@final
class Mark:
    """The high-water mark of a signer: at most 1,024 bytes, replaced as a whole."""

    @staticmethod
    def open(folder: str | PathLike[str], name: str, disk: SimDisk | None) -> Mark:
        """Open the mark of that name in a folder, or make it; raises StorageFailed with the cure."""
    @property
    def payload(self) -> bytes | None:
        """What was found or saved last."""
    def save(self, payload: bytes) -> None:
        """Replace the mark, durably; where StorageFailed is raised it is as it was."""
