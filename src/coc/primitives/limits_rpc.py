"""Bounds of the JSON-RPC layer and of its HTTP server, each with its unit and the reason for its size.

The names end in what they count. `coc_rpcLimits` answers with them and docs/reference/rpc.md lists them, so
that a client can learn a bound before it runs into it; every one of them is met by a test.
"""

from __future__ import annotations

from typing import Final

# ── One request ─────────────────────────────────────────────────────────────────────────────────────────────

RPC_BODY_BYTES_MAX: Final = 5 * 1024 * 1024
"""Bytes of one request body: a batch of large deployments or six blobs in hex fit, a flood does not."""

RPC_JSON_DEPTH_LEVELS_MAX: Final = 32
"""Arrays and objects inside one another in the parameters of one call: the deepest honest one, typed data,
has about ten.
"""

RPC_ID_BYTES_MAX: Final = 256
"""Bytes of a request id, which every answer repeats: room for any UUID or counter."""

RPC_METHOD_CHARS_MAX: Final = 64
"""Characters of a method name that an error repeats: longer than any name in the table."""

# ── Batches ─────────────────────────────────────────────────────────────────────────────────────────────────

RPC_BATCH_ITEMS_MAX: Final = 1_000
"""Calls in one batch, as in go-ethereum, so that clients tuned for it work unchanged."""

RPC_BATCH_RESPONSE_BYTES_MAX: Final = 25_000_000
"""Bytes of one batch's answers: calls past it are answered with an error instead of filling memory."""

RPC_JOBS_PER_EXCHANGE_MAX: Final = 4
"""Calls of one batch that run on the pool at the same time, so that one batch cannot take every thread's
queue.
"""

# ── What one call may ask for ───────────────────────────────────────────────────────────────────────────────

RPC_CALL_GAS_MAX: Final = 50_000_000
"""Gas of one `eth_call`, `eth_estimateGas` or `eth_createAccessList`: below a tenth of a second of plain
opcodes on one core.
"""

RPC_LOG_BLOCKS_MAX: Final = 10_000
"""Blocks in the range of one `eth_getLogs`: the index reads about that many in a second."""

RPC_LOG_ROWS_MAX: Final = 20_000
"""Logs in one answer, about 10 MB of JSON."""

RPC_LOG_ADDRESSES_MAX: Final = 1_000
"""Addresses in one log filter: each is one look-up in the index."""

RPC_LOG_TOPICS_MAX: Final = 1_000
"""Alternatives at one topic position of a log filter: each is one look-up in the index."""

RPC_LOG_TOPIC_POSITIONS_MAX: Final = 4
"""Topic positions of a log filter: LOG4 is the widest opcode."""

RPC_FEE_HISTORY_BLOCKS_MAX: Final = 1_024
"""Blocks of one `eth_feeHistory`, as in go-ethereum: a larger count is answered for this many."""

RPC_FEE_HISTORY_PERCENTILES_MAX: Final = 100
"""Reward percentiles of one `eth_feeHistory`: one for each percent."""

RPC_PROOF_SLOTS_MAX: Final = 1_024
"""Storage slots of one `eth_getProof`: each is one walk down a trie."""

RPC_OVERRIDE_ACCOUNTS_MAX: Final = 1_024
"""Accounts in one set of state overrides: each is loaded before the call begins."""

RPC_POOL_ROWS_MAX: Final = 4_096
"""Transactions in one `txpool_content` or `txpool_inspect`: they are written on the thread that serves
everyone.
"""

RPC_MINE_BLOCKS_MAX: Final = 1_000
"""Blocks sealed by one `evm_mine`."""

# ── Filters ─────────────────────────────────────────────────────────────────────────────────────────────────

RPC_FILTERS_MAX: Final = 1_000
"""Installed filters: each keeps a cursor and a few hundred bytes until it expires."""

RPC_FILTER_IDLE_MS: Final = 5 * 60 * 1_000
"""Milliseconds without a poll after which a filter is forgotten, as in go-ethereum."""

RPC_FILTER_BLOCKS_MAX: Final = 1_000
"""Blocks that one poll of a filter moves on; what is beyond comes with the next poll, nothing is dropped."""

# ── Transactions on their way into the pool ─────────────────────────────────────────────────────────────────

RPC_SUBMISSIONS_PER_CALL_MAX: Final = 1_024
"""Raw transactions decoded by one native call: about 50 ms of one core, so that answers keep flowing."""

RPC_SUBMISSIONS_WAITING_MAX: Final = 16_384
"""Raw transactions waiting for their turn; beyond it a client is told to come back."""

# ── HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────

HTTP_HEAD_BYTES_MAX: Final = 16 * 1024
"""Bytes of request line and headers together: browsers with many cookies stay below it."""

HTTP_HEADERS_MAX: Final = 100
"""Header lines of one request."""

HTTP_CONNECTIONS_MAX: Final = 1_024
"""Open connections: a process has 1,024 file descriptors where nobody raised the limit, and files need
some of them.
"""

HTTP_REQUESTS_PER_CONNECTION_MAX: Final = 64
"""Pipelined requests of one connection that run at the same time; later ones wait unread."""

HTTP_REQUESTS_IN_FLIGHT_MAX: Final = 4_096
"""Requests of all connections that wait for the pool or the chain; beyond it the answer is 503."""

HTTP_READ_TIMEOUT_S: Final = 30.0
"""Seconds a client has from the first byte of a request to the last: 5 MiB over a slow line."""

HTTP_IDLE_TIMEOUT_S: Final = 120.0
"""Seconds a connection may stay open between requests; wallets poll every few seconds."""

HTTP_WRITE_TIMEOUT_S: Final = 30.0
"""Seconds a client may leave an answer unread before the connection is dropped."""

HTTP_LINGER_TIMEOUT_S: Final = 5.0
"""Seconds a refused client may go on sending before it is cut off: it should see the refusal first."""

HTTP_SWEEP_INTERVAL_S: Final = 1.0
"""Seconds between two looks at the deadlines: one timer for all connections instead of one for each
request.
"""

HTTP_GZIP_BYTES_MIN: Final = 4 * 1024
"""Bytes from which an answer is compressed when asked: below it the packet count does not change."""

HTTP_GZIP_POOLED_BYTES_MIN: Final = 64 * 1024
"""Bytes from which compression runs on the pool: below it takes less than a millisecond."""
