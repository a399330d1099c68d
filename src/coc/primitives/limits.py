"""Every limit of the program that is not the RPC's own (`limits_rpc.py`), with its unit and its reason.

A name ends in its unit and `_MAX` or `_MIN`. The line above each says why the number is what it is; relations
between limits are asserted at the end, so that changing one cannot silently break another.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# ── encodings ───────────────────────────────────────────────────────────────────────────────────────────────

# Ethereum's deepest format (a block with type-4 transactions) nests 6 lists; 32 leaves room and keeps the
# stack flat.
RLP_DEPTH_LEVELS_MAX: Final = 32
# EIP-7934 caps a block at 10 MiB; an import file's pre-Osaka block may be larger, and 32 MiB bounds what one
# costs.
RLP_BYTES_MAX: Final = 32 * MIB
# Genesis files nest 5 levels, typed data some 20; the decoder recurses, so the stack must be spared.
JSON_DEPTH_LEVELS_MAX: Final = 128
# Signers show typed data to people; beyond this nobody reads it, and hashing stays under some 50 ms.
TYPED_DATA_BYTES_MAX: Final = 512 * KIB
# Nested values are hashed recursively; real contracts use fewer than 10 levels.
TYPED_DATA_DEPTH_LEVELS_MAX: Final = 64
# Struct types one document may define; the encoding of a type lists all it reaches, so this bounds that
# product.
TYPED_DATA_TYPES_MAX: Final = 128
# Members of all structs together; with the line above it bounds the text that is hashed for type names.
TYPED_DATA_MEMBERS_MAX: Final = 2_048

# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────

# A key file has some 500 bytes; anything larger is not one and is refused unread.
KEYSTORE_FILE_BYTES_MAX: Final = 64 * KIB
# A keystore is listed by reading every file; a folder with more is the wrong folder.
KEYSTORE_FILES_MAX: Final = 10_000
# scrypt takes 128·r·(n + p + 2) bytes: 256 MiB and a little for geth's standard (n 262144, r 8, p 1); an
# eighth more for odd shapes, and no more is granted to a file.
KEYSTORE_SCRYPT_MEMORY_BYTES_MAX: Final = 288 * MIB
# n·r·p stands for time: geth's standard is 2^21; eight times that is some 10 s, the most a person waits.
KEYSTORE_SCRYPT_WORK_BLOCKS_MAX: Final = 2**24
# Geth writes 262,144; 10 million is some 10 s.
KEYSTORE_PBKDF2_ROUNDS_MAX: Final = 10_000_000
# Salts are 16 or 32 bytes in practice.
KEYSTORE_SALT_BYTES_MAX: Final = 256
# A password longer than this is a file given by mistake.
PASSWORD_BYTES_MAX: Final = 4 * KIB
# BIP-39 allows 24 words of at most 8 letters; spaces and a wide margin for pasted text included.
MNEMONIC_CHARS_MAX: Final = 1_024
# BIP-32 counts depth in one byte.
DERIVATION_DEPTH_LEVELS_MAX: Final = 255
# Accounts that a devnet funds and unlocks: each costs a key derivation (8 ms) at start.
DEV_ACCOUNTS_MAX: Final = 1_000

# ── genesis ─────────────────────────────────────────────────────────────────────────────────────────────────

# A genesis file is read whole; 128 MiB holds a million accounts, far beyond Ethereum's 8,893.
GENESIS_FILE_BYTES_MAX: Final = 128 * MIB
# Ethereum's own rule: extraData of a block is at most 32 bytes.
EXTRA_DATA_BYTES_MAX: Final = 32
# One coc validator signs each height; rounds with more than this many votes outgrow the parent certificate.
GENESIS_VALIDATORS_MAX: Final = 128
# A block interval beyond an hour is a typing error (milliseconds for seconds).
BLOCK_INTERVAL_SECONDS_MAX: Final = 3_600

# A timeout beyond ten minutes is a typing error (microseconds for milliseconds).
BFT_TIMEOUT_MS_MAX: Final = 600_000

# ── import ──────────────────────────────────────────────────────────────────────────────────────────────────

# Blocks handed to the native core in one call: few enough that progress shows and Ctrl-C is heard soon.
IMPORT_BATCH_BLOCKS_MAX: Final = 256
# Bytes of one such call: some 400 million gas of calldata, a second of work.
IMPORT_BATCH_BYTES_MAX: Final = 8 * MIB

# ── mempool ─────────────────────────────────────────────────────────────────────────────────────────────────

# Six seconds of blocks at 10,000 transfers/s; the bookkeeping of each costs some 1 KiB beside its bytes.
MEMPOOL_TRANSACTIONS_MAX: Final = 65_536
# Encoded bytes: room for 65,536 transactions of the usual 120..1,000 bytes, bounded where each is large.
MEMPOOL_BYTES_MAX: Final = 128 * MIB
# One sender may fill a sixteenth of the pool: enough for a load test from one key, too little to crowd out
# others.
MEMPOOL_SENDER_TRANSACTIONS_MAX: Final = 4_096
# geth's txMaxSize: four slots of 32 KiB; what is larger travels badly.
MEMPOOL_TRANSACTION_BYTES_MAX: Final = 128 * KIB
# An account whose code can spend its balance may have one waiting transaction (as geth): any other could be
# undone.
MEMPOOL_DELEGATED_TRANSACTIONS_MAX: Final = 1
# Replacing costs 10 % more on both caps, so that replacing again and again is not free (as geth).
MEMPOOL_REPLACEMENT_PERCENT_MIN: Final = 10
# Blobs are costly to carry, so replacing one costs 100 % more on all three caps (as geth).
MEMPOOL_BLOB_REPLACEMENT_PERCENT_MIN: Final = 100
# The journal is rewritten once its dead records outweigh the live ones by this: rare for small pools.
MEMPOOL_JOURNAL_SLACK_BYTES_MAX: Final = 4 * MIB
# Hashes kept for filters of new pending transactions that are polled now and then: as many as can wait.
MEMPOOL_ARRIVALS_MAX: Final = MEMPOOL_TRANSACTIONS_MAX
# The bound for power loss: the journal is handed to the operating system at once and fsynced this often.
MEMPOOL_JOURNAL_FSYNC_MS_MAX: Final = 200

# ── relations ───────────────────────────────────────────────────────────────────────────────────────────────

assert MEMPOOL_SENDER_TRANSACTIONS_MAX * 16 <= MEMPOOL_TRANSACTIONS_MAX  # noqa: S101 - sixteen senders fit side by side
assert MEMPOOL_TRANSACTION_BYTES_MAX * 16 <= MEMPOOL_BYTES_MAX  # noqa: S101 - a few large ones never fill the pool
assert TYPED_DATA_TYPES_MAX <= TYPED_DATA_MEMBERS_MAX  # noqa: S101 - every struct may have a member

# ── Consensus ───────────────────────────────────────────────────────────────────────────────────────────────

# Blocks that may be asked for and not yet made: far above what a test asks for at once, and each waits in
# memory.
SEAL_DEMANDS_MAX: Final = 10_000
# The latest timestamp that may be asked for: half of what a header can hold leaves every later block room.
SEAL_TIMESTAMP_SECONDS_MAX: Final = 2**63 - 1
# Transactions handed to the builder for one block: what one core executes in a few seconds.
BUILD_TRANSACTIONS_MAX: Final = 100_000
# How long the engine waits before it tries again after a block could not be built or written: a full disk
# needs a person.
SEAL_RETRY_MS: Final = 1_000
