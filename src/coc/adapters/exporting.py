"""Exporting canonical blocks into a file, in the format of the chain they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

from coc._native import Chain
from coc.adapters.chain_files import SealedHeader, SealedRecord, write_block_file
from coc.adapters.chain_port import explained
from coc.primitives.errors import AdapterError
from coc.primitives.types import Hash32


class RangeInvalid(AdapterError):
    """Blocks that the chain does not have."""

    id: ClassVar[str] = "COC-EXPORT-RANGE"


def export_file(chain: Chain, path: Path, first: int, last: int | None, told: Callable[[int], None]) -> int:
    """Write the canonical blocks `first..=last`; how many bytes the file has.

    `last` is the head where it is None. `told` hears of each height that is done.

    Raises:
        RangeInvalid: the chain does not have these blocks.
        ChainFileFailed: the file is there already, or cannot be written.
        ChainFailed: a block cannot be read.
    """
    head = chain.head.number
    end = head if last is None else last
    if not first <= end <= head:
        raise RangeInvalid(
            f"there are no blocks {first} to {end} to export",
            why=f"the chain ends at block {head}",
            cure=f"choose --first and --last between 1 and {head}" if head else "make or import blocks first",
        )
    write = _sealed if chain.is_coc else _ethereum
    return write_block_file(path, write(chain, first, end, told))


def _ethereum(chain: Chain, first: int, last: int, told: Callable[[int], None]) -> Iterator[bytes]:
    for number in range(first, last + 1):
        with explained():
            block = chain.block_rlp(_hash_at(chain, number))
        if block is None:
            raise _gone(number)
        yield block
        told(number)


def _sealed(chain: Chain, first: int, last: int, told: Callable[[int], None]) -> Iterator[bytes]:
    first = max(first, 1)
    yield SealedHeader(Hash32(chain.genesis_hash), first, last + 1 - first).encode()
    for number in range(first, last + 1):
        with explained():
            hash_ = _hash_at(chain, number)
            block, header = chain.block_rlp(hash_), chain.header(hash_)
        if block is None or header is None:
            raise _gone(number)
        yield SealedRecord(block, header.consensus_data, header.seal).encode()
        told(number)


def _hash_at(chain: Chain, number: int) -> bytes:
    hash_ = chain.canonical_hash(number)
    if hash_ is None:
        raise _gone(number)
    return hash_


def _gone(number: int) -> RangeInvalid:
    return RangeInvalid(f"block {number} is no longer kept", cure="export from a later one with --first")
