"""Importing blocks from files, each validated as if a stranger had sent it.

Blocks of an Ethereum chain are executed and checked by the native core; their seals (proof of work) are not
checked, as documented. Blocks of our chains are executed with their consensus data, and then the rotation
engine's rules are applied: slot, proposer, fee recipient, parent certificate, validator set, seal. Only then
is a block decided. Known blocks are passed over, so an import that was interrupted is run again and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from coc._native import BlockInvalid, Chain, Header
from coc.adapters.chain_files import BlockFile, ChainFileInvalid, SealedRecord
from coc.adapters.chain_port import ChainFailed, explained
from coc.consensus.bft.block_rules import BftBlockInvalid
from coc.consensus.rotation.slots import RotationRules
from coc.consensus.rotation.verify import ParentFacts, SealedBlock, verify_block
from coc.consensus.sync.messages import CertifiedBlock
from coc.node.validator.chain_door import ChainDoor
from coc.primitives import rlp
from coc.primitives.errors import ConsensusError, PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.limits import IMPORT_BATCH_BLOCKS_MAX, IMPORT_BATCH_BYTES_MAX
from coc.primitives.types import Address, Hash32, Height, PeerId

_NO_PEER: Final = PeerId(bytes(32))
"""Whom a file's blocks come from."""
_NUMBER_FIELD: Final = 8
"""Where the number stands in a header (yellow paper, 4.4)."""


@frozen
class Refused:
    """The first block that was refused: a stable code and a sentence."""

    number: int
    code: str
    sentence: str


@dataclass(slots=True)
class Tally:
    """What an import has done so far. `known` blocks were there before; bytes are those of the file."""

    imported: int = 0
    known: int = 0
    bytes_read: int = 0
    bytes_total: int = 0
    refused: Refused | None = None


Told = Callable[[Tally], None]
"""Is told of progress now and then, on the importing thread."""


def import_file(chain: Chain, rules: RotationRules | ChainDoor | None, file: BlockFile, told: Told) -> Tally:
    """Import a file's blocks until its end or the first that is refused.

    `rules` are those of a rotation chain, the door to a BFT chain, or None for an Ethereum chain.

    Raises:
        ChainFileInvalid: the file is damaged, of the wrong kind, or of another chain.
        ChainFailed: the disk stands in the way.
    """
    tally = Tally(bytes_total=file.bytes_total)

    def report() -> None:
        tally.bytes_read = file.bytes_read
        told(tally)

    with explained():
        if rules is None:
            _import_ethereum(chain, file, tally, report)
        else:
            _import_sealed(chain, rules, file, tally, report)
        chain.flush()
    report()
    return tally


def _import_ethereum(chain: Chain, file: BlockFile, tally: Tally, report: Callable[[], None]) -> None:
    if file.is_sealed():
        raise ChainFileInvalid(
            f"{file.path} holds blocks of a COC chain",
            why="the data folder holds an Ethereum chain",
            cure="import it into a folder made with the genesis file of its own chain",
        )
    batch: list[bytes] = []
    size = 0
    for block in file.ethereum_blocks():
        if _is_known(chain, block):
            tally.known += 1
            continue
        batch.append(block)
        size += len(block)
        if len(batch) >= IMPORT_BATCH_BLOCKS_MAX or size >= IMPORT_BATCH_BYTES_MAX:
            if not _import_batch(chain, batch, tally):
                return
            batch, size = [], 0
            report()
    _import_batch(chain, batch, tally)


def _is_known(chain: Chain, block: bytes) -> bool:
    """Whether the chain has a block; one that cannot be read is left for the native core to refuse."""
    try:
        header, number = _header_of(block)
    except PrimitivesError:
        return False
    found = chain.header(keccak256(header))
    if number == 0 and found is None:
        raise ChainFileInvalid(
            "the file begins with the genesis block of another chain",
            why=f"its hash is 0x{keccak256(header).hex()}, ours 0x{chain.genesis_hash.hex()}",
            cure="import it into a folder made with the genesis file of its own chain",
        )
    return found is not None


def _import_batch(chain: Chain, batch: list[bytes], tally: Tally) -> bool:
    if not batch:
        return True
    done, refused = chain.import_blocks(batch)
    tally.imported += done
    if refused is not None:
        tally.refused = Refused(_number_of(chain, batch[done]), *refused)
    return refused is None


def _import_sealed(
    chain: Chain,
    rules: RotationRules | ChainDoor,
    file: BlockFile,
    tally: Tally,
    report: Callable[[], None],
) -> None:
    if not file.is_sealed():
        raise ChainFileInvalid(
            f"{file.path} holds no blocks of a COC chain",
            why="without consensus data and seals nobody can tell whether they were decided",
            cure="write the file with `coc export` on a data folder of this chain",
        )
    header = file.sealed_header()
    if header.genesis_hash != chain.genesis_hash:
        raise ChainFileInvalid(
            f"{file.path} holds blocks of another chain",
            why=f"their genesis is 0x{header.genesis_hash.hex()}, ours 0x{chain.genesis_hash.hex()}",
            cure="import it into a folder made with the genesis file of its own chain",
        )
    if isinstance(rules, ChainDoor):
        _import_certified(chain, rules, file.sealed_records(header), tally, report)
        return
    for record in file.sealed_records(header):
        tally.refused = _import_one(chain, rules, record.block, record.consensus_data, record.seal, tally)
        if tally.refused is not None:
            return
        if chain.flush_is_due():
            chain.flush()
        report()


def _import_certified(
    chain: Chain,
    door: ChainDoor,
    records: Iterator[SealedRecord],
    tally: Tally,
    report: Callable[[], None],
) -> None:
    """Adopt blocks of a BFT chain on their certificates, a batch at a time."""
    while batch := list(islice(records, IMPORT_BATCH_BLOCKS_MAX)):
        before = chain.head.number
        certified = [CertifiedBlock(each.block, each.consensus_data, each.seal) for each in batch]
        adopted = door.adopt(_NO_PEER, certified, [])
        imported = chain.head.number - before
        tally.imported += imported
        if adopted.failed:
            raise ChainFailed(adopted.failed)
        if adopted.refused:
            number = chain.head.number + 1
            tally.refused = Refused(number, BftBlockInvalid.id, adopted.refused)
            return
        tally.known += len(batch) - imported
        if chain.flush_is_due():
            chain.flush()
        report()


def _import_one(
    chain: Chain, rules: RotationRules, block: bytes, consensus_data: bytes, seal: bytes, tally: Tally
) -> Refused | None:
    """Execute, verify, decide; why not, if not."""
    try:
        if _is_known(chain, block):
            tally.known += 1
            return None
        hash_ = chain.execute(block, consensus_data)
        _verify(chain, rules, hash_, seal)
        chain.decide(hash_, seal, durable=False)
    except BlockInvalid as error:
        return Refused(_number_of(chain, block), str(error.args[1]), str(error.args[0]))
    except (ConsensusError, PrimitivesError) as error:
        sentence = f"{error.what}: {error.why}" if error.why else error.what
        return Refused(_number_of(chain, block), error.id, sentence)
    chain.set_finalized(hash_, hash_)
    tally.imported += 1
    return None


def _verify(chain: Chain, rules: RotationRules, block: bytes, seal: bytes) -> None:
    """Hold an executed block to the engine's rules, and to the head: what is decided stays."""
    header = _known(chain, block)
    parent = _known(chain, header.parent_hash)
    if parent.hash != chain.head.hash:
        raise BlockInvalid(
            f"the block does not follow the head, block {chain.head.number}, which is final", "FINAL_FORK"
        )
    verify_block(
        rules,
        ParentFacts(Height(parent.number), parent.timestamp, parent.seal, Hash32(parent.hash)),
        SealedBlock(
            Hash32(header.hash),
            Height(header.number),
            header.timestamp,
            Address(header.coinbase),
            header.consensus_data,
            seal,
        ),
    )


def _known(chain: Chain, block: bytes) -> Header:
    header = chain.header(block)
    if header is None:
        raise BlockInvalid(f"block 0x{block.hex()} is not known", "UNKNOWN_BLOCK")
    return header


def _header_of(block: bytes) -> tuple[bytes, int]:
    """The encoded header of an encoded block, and its number."""
    first = block[0] if block else 0
    start = 1 if first <= 0xF7 else 1 + first - 0xF7
    length = rlp.encoded_length(block[start : start + 9])
    header = block[start : start + length]
    fields = rlp.decode_list(header)
    if len(fields) <= _NUMBER_FIELD:
        raise rlp.RlpInvalid("no header", why=f"it has {len(fields)} fields")
    return header, rlp.uint(fields[_NUMBER_FIELD], bits=64)


def _number_of(chain: Chain, block: bytes) -> int:
    """A refused block's number; where it cannot be read, the one it should have."""
    try:
        return _header_of(block)[1]
    except PrimitivesError:
        return chain.head.number + 1
