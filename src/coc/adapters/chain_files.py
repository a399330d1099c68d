"""Files of blocks: what `coc export` writes and `coc import` reads.

There are two formats. Blocks of an **Ethereum chain** are their RLP encodings one after the other, as every
Ethereum client writes and reads them. A block of **our chains** is worth nothing without its consensus data
and its seal, so those have a format of their own; integers are big-endian:

    header   magic "COCCHAIN" (8) ‖ version (4) ‖ genesis hash (32) ‖ first height (8) ‖ blocks (8) ‖
             CRC-32 of these (4)
    record   length (4) ‖ CRC-32 of the payload (4) ‖ payload = RLP [block, consensus data, seal]

The checksums tell a damaged file from a forged one; against forgery each block is verified on import. A file
is written under another name and gets its own when it is whole.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

from coc.primitives import rlp
from coc.primitives.errors import AdapterError, PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.limits import RLP_BYTES_MAX
from coc.primitives.types import Hash32

MAGIC: Final = b"COCCHAIN"
VERSION: Final = 1

_HEADER: Final = struct.Struct(">8sI32sQQ")
_CHECKSUM: Final = struct.Struct(">I")
_RECORD_HEAD: Final = struct.Struct(">II")
_LENGTH_BYTES: Final = 9
"""Bytes of an RLP item that always tell its length."""
_BUFFER_BYTES: Final = 1 << 20
"""Read and written at a time: large enough that the system calls cost nothing."""


class ChainFileInvalid(AdapterError):
    """A file that does not hold the blocks it should."""

    id: ClassVar[str] = "COC-CHAIN-FILE"


class ChainFileFailed(AdapterError):
    """A file of blocks that cannot be read or written."""

    id: ClassVar[str] = "COC-CHAIN-FILE-IO"


@frozen
class SealedHeader:
    """The header of a file of our chains."""

    genesis_hash: Hash32
    first: int
    count: int

    def encode(self) -> bytes:
        """The bytes at the beginning of the file."""
        fields = _HEADER.pack(MAGIC, VERSION, self.genesis_hash, self.first, self.count)
        return fields + _CHECKSUM.pack(zlib.crc32(fields))


@frozen
class SealedRecord:
    """One block of ours: its RLP, and what lies beside it."""

    block: bytes
    consensus_data: bytes
    seal: bytes

    def encode(self) -> bytes:
        """The record as it stands in the file."""
        payload = rlp.encode([self.block, self.consensus_data, self.seal])
        return _RECORD_HEAD.pack(len(payload), zlib.crc32(payload)) + payload


class BlockFile:
    """A file of blocks that is read from its beginning to its end."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """`file` stands at its beginning."""
        self.path = path
        self.bytes_total = os.fstat(file.fileno()).st_size
        self.bytes_read = 0
        self._file = file
        self._blocks = 0

    def is_sealed(self) -> bool:
        """Whether the file is one of our chains; to be asked before reading."""
        found = self._file.read(len(MAGIC))
        self._file.seek(0)
        return found == MAGIC

    def ethereum_blocks(self) -> Iterator[bytes]:
        """The encoded blocks of an Ethereum chain.

        Raises:
            ChainFileInvalid: the file is no sequence of RLP lists, or ends within one.
        """
        while head := self._take(_LENGTH_BYTES):
            try:
                length = rlp.encoded_length(head)
            except PrimitivesError as error:
                raise self._damaged(f"{error.what}: {error.why}") from error
            if head[0] < 0xC0 or length > RLP_BYTES_MAX:
                raise self._damaged(f"no block begins at byte {self.bytes_read - len(head)}")
            if length <= len(head):
                raise self._damaged("an RLP list too short to be a block")
            rest = self._take(length - len(head))
            if len(head) + len(rest) != length:
                raise self._damaged("the file ends within it")
            self._blocks += 1
            yield head + rest

    def sealed_header(self) -> SealedHeader:
        """The header of a file of ours.

        Raises:
            ChainFileInvalid: damaged, or written by a newer release.
        """
        fields, checksum = self._take(_HEADER.size), self._take(_CHECKSUM.size)
        if len(checksum) == _CHECKSUM.size:
            _, version, genesis_hash, first, count = _HEADER.unpack(fields)
            if version > VERSION:
                raise ChainFileInvalid(
                    f"{self.path} has format {version}",
                    why=f"this release reads up to {VERSION}",
                    cure="install the release that wrote it, or a newer one",
                )
            if _CHECKSUM.unpack(checksum)[0] == zlib.crc32(fields):
                return SealedHeader(Hash32(genesis_hash), first, count)
        raise ChainFileInvalid(
            f"{self.path} is damaged", why="its header does not check", cure="export or copy it again"
        )

    def sealed_records(self, header: SealedHeader) -> Iterator[SealedRecord]:
        """The records after the header.

        Raises:
            ChainFileInvalid: a record does not check, or there are fewer or more than announced.
        """
        for _ in range(header.count):
            head = self._take(_RECORD_HEAD.size)
            length, checksum = _RECORD_HEAD.unpack(head) if len(head) == _RECORD_HEAD.size else (0, 0)
            if not 0 < length <= RLP_BYTES_MAX:
                raise self._damaged("there is no record where it should be")
            payload = self._take(length)
            if len(payload) != length:
                raise self._damaged("the file ends within it")
            if zlib.crc32(payload) != checksum:
                raise self._damaged("its checksum does not match")
            self._blocks += 1
            yield self._record(payload)
        if self._take(1):
            raise ChainFileInvalid(
                f"{self.path} is damaged",
                why=f"there is more after its {header.count} blocks",
                cure="export or copy it again",
            )

    def _record(self, payload: bytes) -> SealedRecord:
        try:
            fields = rlp.decode(payload)
        except PrimitivesError as error:
            raise self._damaged(f"{error.what}: {error.why}") from error
        match fields:
            case [bytes(block), bytes(consensus_data), bytes(seal)]:
                return SealedRecord(block, consensus_data, seal)
            case _:
                raise self._damaged("it is not a block with consensus data and seal")

    def _take(self, length: int) -> bytes:
        with explained(f"{self.path} cannot be read"):
            data = self._file.read(length)
        self.bytes_read += len(data)
        return data

    def _damaged(self, why: str) -> ChainFileInvalid:
        return ChainFileInvalid(
            f"{self.path} is damaged at its block {self._blocks + 1}",
            why=why,
            cure="export or copy it again; the blocks before it are imported",
        )


@contextmanager
def open_block_file(path: Path) -> Iterator[BlockFile]:
    """A file of blocks, open for reading.

    Raises:
        ChainFileFailed: it cannot be read.
    """
    with explained(f"{path} cannot be read"):
        file = path.open("rb", buffering=_BUFFER_BYTES)
    with file:
        yield BlockFile(path, file)


def write_block_file(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a new file whole and durably, or not at all; how many bytes it has.

    Raises:
        ChainFileFailed: it is there already, or cannot be written.
    """
    if path.exists():
        raise ChainFileFailed(
            f"{path} is there already", cure="choose another name, or remove the file first"
        )
    unfinished = path.with_name(f"{path.name}.part")
    total = 0
    try:
        with explained(f"{path} cannot be written"), unfinished.open("wb", _BUFFER_BYTES) as file:
            for piece in pieces:
                total += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return total


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn an error of the operating system into one with a cure."""
    try:
        yield
    except OSError as error:
        raise ChainFileFailed(
            what, why=error.strerror or str(error), cure="check path, permissions and free space"
        ) from error
