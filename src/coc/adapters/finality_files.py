"""Finality proofs as files: written from a chain that is open here, verified with no chain at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from coc._native import Chain
from coc.adapters.chain_files import explained as explained_file
from coc.adapters.chain_files import write_block_file
from coc.adapters.chain_port import closing, explained, open_chain
from coc.consensus.finality.build import Provable, build_proof, checkpoint_of
from coc.consensus.finality.checkpoint import Checkpoint, TrustedBlock, parse_trusted
from coc.consensus.finality.faults import AnchorUnfit, CheckpointInvalid, FinalityUnprovable
from coc.consensus.finality.frames import MAGIC, read_proof, write_proof
from coc.consensus.finality.header import decode_header
from coc.consensus.finality.records import ChainOrigin, CheckpointAnchor, Record
from coc.consensus.finality.rules import ChainRules
from coc.consensus.finality.verify import Finality, Trust, verify_proof
from coc.execution.genesis import Genesis
from coc.node.finality_rules import NoCertificates, finality_rules
from coc.primitives.errors import CocError
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Height

T = TypeVar("T")

_LINE_BYTES_MAX: Final = 1_024
"""Bytes read of a file with a checkpoint in it: the longest line has some 250."""


class DecidedBlocks:
    """The blocks of an open chain by height."""

    def __init__(self, chain: Chain) -> None:
        """`chain` stays open as long as it is asked."""
        self._chain = chain

    @property
    def head(self) -> Height:
        """The highest."""
        return Height(self._chain.head.number)

    def header(self, height: Height) -> bytes:
        """A header as RLP.

        Raises:
            FinalityUnprovable: the block is no longer kept.
            ChainFailed: it cannot be read.
        """
        with explained():
            header = self._chain.header_rlp(self._hash_at(height))
        return _kept(header, height)

    def consensus_data(self, height: Height) -> bytes:
        """What the header's consensus root covers.

        Raises:
            FinalityUnprovable, ChainFailed: as `header`.
        """
        with explained():
            header = self._chain.header(self._hash_at(height))
        return _kept(header, height).consensus_data

    def certificate(self, height: Height) -> bytes:
        """What decided the block.

        Raises:
            FinalityUnprovable, ChainFailed: as `header`.
        """
        with explained():
            header = self._chain.header(self._hash_at(height))
        return _kept(header, height).seal

    def _hash_at(self, height: Height) -> bytes:
        return _kept(self._chain.canonical_hash(height), height)


@frozen
class Wish:
    """Which block is to be proved, and from where; from genesis without a checkpoint."""

    target: Height
    checkpoint: Checkpoint | None = None


@frozen
class Progress:
    """How far a file is read: one record a block."""

    blocks: int
    bytes_done: int
    bytes_total: int


def provable_chain(chain: Chain, genesis: Genesis) -> Provable:
    """An open chain as one whose blocks can be proved.

    Raises:
        NoCertificates: its engine makes none.
    """
    if genesis.coc is None:
        raise NoCertificates("no block of this chain can be proved final", why="it is an Ethereum chain")
    blocks = DecidedBlocks(chain)
    origin = ChainOrigin(blocks.header(Height(0)), genesis.config)
    rules = finality_rules(decode_header(origin.genesis_header), origin.config)
    return Provable(blocks, origin, rules)


def write_proof_file(path: Path, provable: Provable, wish: Wish, now_s: int) -> tuple[int, Finality]:
    """Write a proof and verify what was written: its bytes, and what it shows. Else there is no file.

    Raises:
        FinalityUnprovable, FinalityRefused: the chain cannot prove it, or nobody would believe it any more.
        ChainFileFailed: the file is there already, or cannot be written.
    """
    records = build_proof(provable, wish.target, wish.checkpoint)
    size = write_block_file(path, write_proof(records))
    try:
        trust = Trust(provable.rules.genesis_hash, wish.checkpoint)
        return size, verify_proof_file(path, trust, now_s, lambda _: None)
    except CocError:
        path.unlink()
        raise


def verify_proof_file(path: Path, trust: Trust, now_s: int, told: Callable[[Progress], None]) -> Finality:
    """What the proof in a file shows; `told` hears of each record.

    Raises:
        FinalityRefused: it shows nothing to somebody with this trust.
        ChainFileFailed: it cannot be read.
    """
    with explained_file(f"{path} cannot be read"), path.open("rb") as file:
        records = _counted(read_proof(file), file, path.stat().st_size, told)
        return verify_proof(records, trust, now_s, finality_rules)


def trusted_block_in(path: Path, rules: ChainRules, now_s: int) -> TrustedBlock:
    """What a file tells one to trust: the line in it, or the block that the proof in it is about.

    Whoever gives a proof as a checkpoint trusts its anchor; that the rest follows is verified.

    Raises:
        CheckpointInvalid, FinalityRefused: it is neither, or the proof shows nothing.
        ChainFileFailed: it cannot be read.
    """
    with explained_file(f"{path} cannot be read"), path.open("rb") as file:
        head = file.read(_LINE_BYTES_MAX)
        if not head.startswith(MAGIC):
            return _trusted_line(path, head)
        file.seek(0)
        anchor = next(read_proof(file), None)
    known = checkpoint_of(anchor, rules) if isinstance(anchor, CheckpointAnchor) else None
    found = verify_proof_file(path, Trust(rules.genesis_hash, known), now_s, lambda _: None)
    if found.checkpoint is None:
        raise AnchorUnfit("this chain has no checkpoints", cure="begin at genesis; that way is no longer")
    return found.checkpoint


def _trusted_line(path: Path, head: bytes) -> TrustedBlock:
    try:
        return parse_trusted(head.decode("ascii").strip())
    except UnicodeDecodeError as error:
        raise CheckpointInvalid(
            f"{path} holds no checkpoint",
            why="it is neither a finality proof nor a line of text",
            cure="give a file that `coc prove-finality` wrote, or one with the line of a checkpoint",
        ) from error


def genesis_hash_of(genesis: Genesis) -> Hash32:
    """The hash of block 0 of a genesis file, whose state is made in memory for it.

    Raises:
        ChainFailed: the file describes no chain.
    """
    with closing(open_chain(genesis.text, None, {})) as chain:
        return Hash32(chain.genesis_hash)


def _counted(
    records: Iterator[Record], file: BinaryIO, bytes_total: int, told: Callable[[Progress], None]
) -> Iterator[Record]:
    for blocks, record in enumerate(records, start=1):
        told(Progress(blocks, file.tell(), bytes_total))
        yield record


def _kept(found: T | None, height: Height) -> T:
    if found is None:
        raise FinalityUnprovable(
            f"block {height} is no longer kept",
            cure="ask a node that keeps it, or begin at a later checkpoint",
        )
    return found
