"""Why the pool itself refuses, evicts or drops: stable codes and sentences.

What a transaction's own form or the state forbids is the Rust core's to say; its code and sentence pass
through. Sentences begin with go-ethereum's words, because wallets recognise them.
"""

from __future__ import annotations

from typing import Final

from coc.primitives.frozen import frozen


@frozen
class Refusal:
    """A stable code and a sentence for people."""

    code: str
    sentence: str


ALREADY_KNOWN: Final = Refusal("ALREADY_KNOWN", "already known: the same transaction is waiting in the pool")
NONCE_TOO_LOW: Final = "NONCE_TOO_LOW"
INSUFFICIENT_FUNDS: Final = "INSUFFICIENT_FUNDS"
REPLACEMENT_UNDERPRICED: Final = "REPLACEMENT_UNDERPRICED"
REPLACEMENT_KIND: Final = Refusal(
    "REPLACEMENT_KIND",
    "address already reserved: a transaction with blobs and one without cannot replace each other",
)
OVERSIZED: Final = "OVERSIZED"
SENDER_FULL: Final = "SENDER_FULL"
POOL_FULL: Final = Refusal(
    "POOL_FULL",
    "txpool is full: transaction underpriced, all that waits pays more; raise the fee or try later",
)
DELEGATED_GAPPED: Final = Refusal(
    "DELEGATED_GAPPED",
    "gapped-nonce tx from delegated accounts: send the account's next nonce first",
)
DELEGATED_LIMIT: Final = Refusal(
    "DELEGATED_LIMIT",
    "in-flight transaction limit reached for delegated accounts: wait for the pending one, or replace it",
)
AUTHORITY_RESERVED: Final = Refusal(
    "AUTHORITY_RESERVED",
    "authority already reserved: an authority of this transaction has more than one waiting transaction",
)
JOURNAL_FAILED: Final = "JOURNAL_FAILED"
NONCE_USED: Final = "NONCE_USED"

NONCE_USED_SENTENCE: Final = "another transaction of the sender with this nonce is in the chain"
EVICTED_SENTENCE: Final = "made room for a transaction that pays more"
EVICTED_BY_SENDER_SENTENCE: Final = "made room for an earlier nonce of the same sender"
