"""The native chain as the node's machines see it: heads, accounts and verdicts in their own types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

import msgspec

from coc import _native
from coc._native import Chain, Transaction
from coc.adapters import chain_exchange
from coc.adapters.data_folder import genesis_in, refuse_strangers
from coc.consensus.rotation.engine import HeadFacts
from coc.execution.mempool.inputs import Account, Candidate, Head, Standing, Verdict
from coc.node.judging import candidates_of
from coc.primitives.errors import AdapterError
from coc.primitives.types import Address, Hash32, Height

__all__ = [
    "ARCHIVE",
    "NATIVE_ERRORS",
    "ChainFailed",
    "OpenChain",
    "changed_accounts",
    "closing",
    "engine_head",
    "explained",
    "genesis_in",
    "judge_again",
    "judge_raw",
    "open_chain",
    "pool_head",
]

OpenChain: TypeAlias = Chain
"""The handle, for those who may name its type and not open one."""

ARCHIVE: Final[Mapping[str, int]] = {"states_kept": 0}
"""Options of a chain that keeps every state."""

NATIVE_ERRORS: Final = (_native.GenesisInvalid, _native.StorageFailed, _native.BlockInvalid, _native.Pruned)
"""What opening and using a chain may raise on purpose; the first argument is a sentence with the cure."""


class ChainFailed(AdapterError):
    """The native chain refused; the sentence is its own and names the cure."""

    id: ClassVar[str] = "COC-CHAIN"


@contextmanager
def explained() -> Iterator[None]:
    """Turn the native module's errors into one of ours.

    Raises:
        ChainFailed: with the native sentence.
    """
    try:
        yield
    except NATIVE_ERRORS as error:
        raise ChainFailed(str(error.args[0])) from error


def open_chain(genesis: bytes, folder: Path | None, options: Mapping[str, int]) -> Chain:
    """Open the chain of a checked genesis text in a folder, or in memory.

    A fetched chain that is to take the place of the folder's does so first (DIVERGE-10).

    Raises:
        FolderUnfit: the folder holds something else.
        ChainFailed: another genesis, another process, a newer release or a disk stands in the way.
    """
    if folder is not None:
        refuse_strangers(folder)
        _settle(folder)
    with explained():
        return Chain.open(
            genesis, None if folder is None else str(folder), msgspec.json.encode(dict(options))
        )


def _settle(folder: Path) -> None:
    try:
        chain_exchange.settle(folder)
    except OSError as error:
        raise ChainFailed(
            f"the chain in {folder / chain_exchange.FETCHED} cannot take the place of the old one",
            why=error.strerror or str(error),
            cure="start again once the disk can be written: it goes on where it stopped",
        ) from error


@contextmanager
def closing(chain: Chain) -> Iterator[Chain]:
    """Flush a chain at the end, whatever happened, so that the next start has nothing to do again."""
    try:
        yield chain
    finally:
        with explained():
            chain.close()


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


def judge_raw(chain: Chain, head: bytes, raws: list[bytes]) -> list[Candidate | Exception]:
    """Decode, recover and judge raw transactions in one native call."""
    return candidates_of(chain.admit(head, raws))


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
