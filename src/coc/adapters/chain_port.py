"""The native chain as the node's machines see it: heads, accounts and verdicts in their own types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from coc import _native
from coc._native import Chain, Transaction, TransactionInvalid
from coc.consensus.rotation.engine import HeadFacts
from coc.execution.mempool.inputs import Account, Candidate, Head, Standing, Verdict
from coc.primitives.types import Address, Hash32, Height


OpenChain: TypeAlias = Chain
"""The handle, for those who may name its type and not open one."""

NATIVE_ERRORS: Final = (_native.GenesisInvalid, _native.StorageFailed, _native.BlockInvalid, _native.Pruned)
"""What opening and using a chain may raise on purpose; the first argument is a sentence with the cure."""

GENESIS_FILE: Final = "genesis.json"


def genesis_in(folder: Path) -> bytes | None:
    """The genesis text that a data folder was made with; None where it is none yet."""
    place = folder / GENESIS_FILE
    return place.read_bytes() if place.is_file() else None


def open_chain(genesis: bytes, folder: Path | None, options: Mapping[str, int]) -> Chain:
    """Open the chain of a checked genesis text in a folder, or in memory.

    Raises:
        GenesisInvalid, StorageFailed: of the native module, with the cure in the sentence.
    """
    return Chain.open(genesis, None if folder is None else str(folder), msgspec.json.encode(dict(options)))


def engine_head(chain: Chain) -> HeadFacts:
    """The head as the engine needs it."""
    head = chain.head
    return HeadFacts(Hash32(head.hash), Height(head.number), head.timestamp, head.seal)


def pool_head(chain: Chain) -> Head:
    """The head as the pool needs it: prices are those of the next block."""
    head = chain.head
    return Head(
        Hash32(head.hash),
        Height(head.number),
        chain.next_base_fee(head.hash),
        chain.next_blob_base_fee(head.hash),
        head.gas_limit,
    )


def judge_raw(chain: Chain, head: bytes, raws: list[bytes]) -> list[Candidate | TransactionInvalid]:
    """Decode, recover and judge raw transactions in one native call."""
    judged: list[Candidate | TransactionInvalid] = []
    for entry in chain.admit(head, raws):
        if isinstance(entry, TransactionInvalid):
            judged.append(entry)
        else:
            transaction, standing, code, sentence, nonce, balance, has_code = entry
            verdict = Verdict(Standing(standing), code, sentence)
            judged.append(Candidate(transaction, verdict, Account(nonce, balance, has_code)))
    return judged


def judge_again(chain: Chain, head: bytes, transactions: Sequence[Transaction]) -> list[Candidate]:
    """New verdicts on decoded transactions."""
    judged = chain.classify(head, list(transactions))
    return [
        Candidate(transaction, Verdict(Standing(standing), code, sentence), Account(nonce, balance, has_code))
        for transaction, (standing, code, sentence, nonce, balance, has_code) in zip(
            transactions, judged, strict=True
        )
    ]


def changed_accounts(chain: Chain, block: bytes, known: Sequence[Address]) -> dict[Address, Account]:
    """Those of the accounts known to the pool that a block changed."""
    changed = chain.changed_accounts(block, list(known))
    return {known[index]: Account(nonce, balance, has_code) for index, nonce, balance, has_code in changed}
